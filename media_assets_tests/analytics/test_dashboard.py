"""The dashboard: everything in one file, useful with no events, three, and many; nobody is named."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import dagster as dg
import pytest
from typer.testing import CliRunner

from media_assets.analytics.connection import Connection, connect
from media_assets.analytics.dashboard.making import Made, make_dashboard
from media_assets.analytics.dashboard.page import inlined, page
from media_assets.analytics.dashboard.parts import cell
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.workflows import derive
from media_assets.cli import app
from media_assets.defs import analytics
from media_assets.defs.analytics.events import WarehouseResource
from media_assets.defs.analytics.kpis import READ, daily_dashboard, dashboard, key_figures
from media_assets.settings import Settings
from media_assets_tests.analytics.conftest import synthetic
from media_assets_tests.test_docs import commands

DEFINED = [f"{analytics.__name__}.{found.name}" for found in pkgutil.iter_modules(analytics.__path__)]
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


class Read(HTMLParser):
    """What is in a page: tags, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, name: str) -> list[str]:
        return [value for attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(6_000, seed=6) as connection:
        derive(connection, seed=6)
        yield connection


@pytest.fixture(scope="module")
def made(events: Connection, tmp_path_factory: pytest.TempPathFactory) -> Made:
    settings = Settings.from_environment(tmp_path_factory.mktemp("dashboard"))
    return make_dashboard(events, settings, NOW)


def test_a_page_has_every_section_with_plots_over_tables(made: Made) -> None:
    text = made.path.read_text(encoding="utf-8")
    read = Read(text)
    for word in ("Workflows", "Retention", "Costs", "Use and speed", "Sequences", "Errors", "Unusual use"):
        assert f">{word}</h2>" in text
    assert read.tags["svg"] >= 10
    assert read.tags["table"] >= read.tags["svg"]
    assert "Made 02 November 2026, 09:30 UTC" in read.text
    assert f"{made.events:,} events" in read.text
    assert made.bytes == len(text.encode()) < 2_000_000


def test_a_page_loads_nothing_and_runs_nothing(made: Made) -> None:
    text = made.path.read_text(encoding="utf-8")
    read = Read(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base"} & set(read.tags)
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    places = [*read.named("src"), *read.named("href"), *read.named("xlink:href")]
    outer = {re.split(r"/assets/|,", place)[0] for place in places if not place.startswith("#")}
    assert outer == {"http://127.0.0.1:3000", "data:image/png;base64"}
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert "default-src 'none'" in text


def test_ids_are_unique_and_links_within_the_page_lead_somewhere(made: Made) -> None:
    read = Read(made.path.read_text(encoding="utf-8"))
    ids = read.named("id")
    assert len(ids) == len(set(ids))
    inner = {place[1:] for place in (*read.named("href"), *read.named("xlink:href")) if place[0] == "#"}
    assert inner <= set(ids)


def test_nobody_is_named(made: Made, events: Connection) -> None:
    text = made.path.read_text(encoding="utf-8")
    users = events.execute(
        'SELECT DISTINCT "user" FROM operation_events WHERE "user" IS NOT NULL'
    ).fetchall()
    assert users
    assert not [user for (user,) in users if user in text]
    assert "u_synthetic" not in text


def test_assets_and_commands_that_are_named_exist(made: Made) -> None:
    text = made.path.read_text(encoding="utf-8")
    named = set(re.findall(r"/assets/([a-z_]+)\"", text))
    assert named | {"operation_events"} == {key.to_user_string() for key in READ}
    modules = [importlib.import_module(name) for name in DEFINED]
    assets = [one for module in modules for one in vars(module).values()]
    keys = {key for one in assets if isinstance(one, dg.AssetsDefinition) for key in one.keys}
    assert {dg.AssetKey(name) for name in named} <= keys
    told = set(re.findall(r"in a terminal: <code>media-assets ([a-z ]+)</code>", text))
    assert len(told) > 5
    assert told <= set(commands())


def test_without_events_it_says_what_to_do(warehouse: Connection, settings: Settings) -> None:
    found = make_dashboard(warehouse, settings, NOW)
    read = Read(found.path.read_text())
    assert "Nothing was done yet" in read.text
    told = re.findall(r"<code>media-assets ([a-z ]+?)(?: --help)?</code>", found.content)
    assert len(told) == 4
    assert {word for word in told if word != "analytics"} <= set(commands())
    again = make_dashboard(warehouse, settings, datetime(2026, 12, 1, tzinfo=UTC))
    assert again.content == found.content
    assert "Made 01 December 2026" in again.path.read_text()


def test_three_events_of_one_person_are_shown_without_lines(
    warehouse: Connection, settings: Settings
) -> None:
    generate(warehouse, 100, seed=1)
    warehouse.execute(
        """
        DELETE FROM operation_events WHERE event_id NOT IN (
            SELECT event_id FROM operation_events WHERE "user" IS NOT NULL
            QUALIFY "user" = first_value("user") OVER (ORDER BY event_id) ORDER BY event_id LIMIT 3
        )
        """
    )
    found = make_dashboard(warehouse, settings, NOW)
    read = Read(found.path.read_text())
    assert found.events == len(warehouse.execute("FROM operation_events").fetchall()) > 0
    assert "cost per operation" in read.text
    assert "Nothing to show yet." in read.text
    assert ">People who came again<" not in found.content


def test_text_is_escaped_and_a_plot_takes_the_colours_of_the_page() -> None:
    assert "<b>" not in page("<b>", "<b>", "")
    svg = (
        '<?xml version="1.0"?><svg><metadata>x</metadata>'
        '<g id="a" style="fill: #ffffff"/><use href="#a"/></svg>'
    )
    assert inlined(svg, "p1") == (
        '<svg role="img"><g id="p1-a" style="fill: none"/><use href="#p1-a"/></svg>'
    )


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "share", ""),
        (float("nan"), "seconds", ""),
        (3725.0, "seconds", "1 h 2 min"),
        (0.00001, "money", "< 0.0001"),
        (1234.5, "EUR", "1,234.50 EUR"),
        (0.05, "EUR", "0.0500 EUR"),
        (0, "bytes", "0 B"),
        (123456.0, "number", "123,456"),
        ("2026-10-26 00:00:00", "day", "2026-10-26"),
    ],
)
def test_cells_are_as_people_read_them(value: object, kind: str, text: str) -> None:
    assert cell(value, kind) == text


def test_the_assets_tell_the_figures_and_where_the_page_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(settings.data_root))

    def materialized(asset: dg.AssetsDefinition) -> dict[str, str]:
        with dg.DagsterInstance.ephemeral() as instance:
            result = dg.materialize(
                [asset], instance=instance, resources={"warehouse_db": WarehouseResource()}
            )
        (event,) = result.asset_materializations_for_node(asset.key.path[-1])
        return {name: str(entry.value) for name, entry in event.metadata.items()}

    shown = materialized(dashboard)
    assert shown["page"] == str(settings.dashboard_path)
    assert settings.dashboard_path.is_file()
    with connect(settings.warehouse_path) as connection:
        generate(connection, 300, seed=1)
        derive(connection, seed=1)
    figures = materialized(key_figures)
    assert "| workflow success rate |" in figures["key figures"]
    assert re.search(r"^\| 2026-\d\d-\d\d \|", figures["weeks"], re.MULTILINE)
    assert "data:image/svg+xml;base64," in figures["Costs"]
    assert daily_dashboard.cron_schedule == "20 5 * * *"


def test_commands_make_the_page_and_give_the_figures(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(settings.data_root))

    def ran(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["analytics", *words])
        assert result.exit_code == code, result.output
        return result.output

    assert "no page was made yet" in str(
        CliRunner().invoke(app, ["analytics", "dashboard", "--open-path"]).exception
    )
    assert ran("dashboard").strip() == str(settings.dashboard_path)
    assert json.loads(ran("dashboard", "--open-path", "--json")) == {"path": str(settings.dashboard_path)}
    with connect(settings.warehouse_path) as connection:
        generate(connection, 2_000, seed=1)
        derive(connection, seed=1)
    found = json.loads(ran("kpis", "--json"))
    assert set(found) == {"kpis", "weeks", "workflows"}
    assert found["weeks"][0]["period"] < found["weeks"][-1]["period"] <= "2026-10-31"
    assert json.loads(ran("costs", "--json"))["costs"][0]["cost"] > 0
    for words in ("kpis", "costs", "retention"):
        assert len(ran(words).splitlines()) > 5
