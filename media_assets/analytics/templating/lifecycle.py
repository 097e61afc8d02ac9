"""What becomes of templates: candidate, offered, adopted, retired; kept in the warehouse with reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import templates
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.analytics.rollups import refresh
from media_assets.analytics.templating.adoptions import Adoption
from media_assets.analytics.templating.drafting import Undraftable, draft, habits_of
from media_assets.analytics.templating.naming import named

STATES = ("candidate", "offered", "adopted", "retired")
UNUSED_DAYS = 28
FEWEST_USES = 10
LEAST_USE_SUCCESS = 0.7
_FAR_FROM_SUCCESS = 0.1

_TABLE = """
CREATE TABLE IF NOT EXISTS templates (
    name VARCHAR NOT NULL, "sequence" VARCHAR NOT NULL, kinds VARCHAR[] NOT NULL,
    state VARCHAR NOT NULL, since DATE NOT NULL, reasons VARCHAR NOT NULL,
    requests BIGINT, share DOUBLE, success_rate DOUBLE, seconds DOUBLE,
    adopted DATE, uses BIGINT NOT NULL, use_success DOUBLE, last_use DATE, document VARCHAR
)
"""
_COLUMNS = (
    "name",
    "sequence",
    "kinds",
    "state",
    "since",
    "reasons",
    "requests",
    "share",
    "success_rate",
    "seconds",
    "adopted",
    "uses",
    "use_success",
    "last_use",
    "document",
)


@dataclass(frozen=True)
class Use:
    """How often a workflow ran, how often that succeeded, and the last day of it."""

    uses: int = 0
    succeeded: int = 0
    last: date | None = None

    @property
    def success(self) -> float | None:
        """The share that succeeded."""
        return self.succeeded / self.uses if self.uses else None


def update(
    connection: Connection, adopted: Sequence[Adoption], reserved: Collection[str] = ()
) -> pd.DataFrame:
    """Bring the table `templates` up to the events and the adoptions, and return it.

    Time is what the events tell: the newest day of theirs. Chains of too few people are not among them.

    Args:
        adopted: templates that became workflows.
        reserved: names of workflows that came from no template.
    """
    connection.execute(_TABLE)
    refresh(connection, templates.ROLLUPS)
    row = connection.execute("SELECT max(day) FROM sequence_requests").fetchone()
    today: date | None = row[0] if row else None
    if today is None:
        return table(connection)
    shown = suppressed(templates.answer(connection), connection)
    proposals: dict[str, dict[Any, Any]] = {
        str(found["sequence"]): found for found in shown.to_dict("records")
    }
    known = {one["sequence"]: one for one in _records(table(connection))}
    rows = _rows(connection, proposals, known, {one.sequence: one for one in adopted}, reserved, today)
    _store(connection, rows)
    return table(connection)


def table(connection: Connection) -> pd.DataFrame:
    """The templates as they were left by the last `update`; those on offer and in use first."""
    connection.execute(_TABLE)
    return connection.execute(
        """
        SELECT * FROM templates
        ORDER BY list_position(['adopted', 'offered', 'candidate', 'retired'], state), requests DESC, name
        """
    ).df()


def next_state(
    prior: str | None,
    proposal: Mapping[str, Any] | None,
    adopted: date | None,
    use: Use,
    today: date,
    obstacle: str = "",
) -> tuple[str, str] | None:
    """What a chain is now, and why; None where there is nothing to keep.

    Args:
        prior: what it was.
        proposal: the row of the question `templates`; None where the chain is in none.
        adopted: the day it became a workflow, if it did.
        use: of that workflow.
        obstacle: why it cannot be drafted.
    """
    if adopted is not None:
        weak = _weak_use(use, adopted, today)
        return ("retired", weak) if weak else ("adopted", f"runs since {adopted}: {use.uses}")
    if proposal is None:
        text = "no longer frequent, steady or a request of its own"
        return ("retired", text) if prior in ("offered", "adopted", "retired") else None
    if obstacle:
        return ("retired" if prior in ("offered", "adopted") else "candidate", obstacle)
    if proposal["fit"]:
        text = f"{proposal['requests']} requests, {proposal['share']:.1%} of their kind"
        return ("offered", f"{text}, {proposal['success_rate']:.0%} succeed")
    reasons = str(proposal["reasons"])
    if prior == "offered":
        return ("retired" if _weak(proposal) else "offered", reasons)
    return ("retired" if prior in ("adopted", "retired") else "candidate", reasons)


def _weak(proposal: Mapping[str, Any]) -> bool:
    """Whether what was offered should be no longer: clearly below what it takes, or on its way out."""
    failing = proposal["success_low"] < templates.LEAST_SUCCESS - _FAR_FROM_SUCCESS
    return bool(failing or proposal["trend"] == "falling" or not proposal["weeks"])


def _weak_use(use: Use, adopted: date, today: date) -> str:
    """Why an adopted template is weak; empty where it is not."""
    idle = (today - max(adopted, use.last or adopted)).days
    if idle >= UNUSED_DAYS:
        return f"not used for {idle} days"
    if use.uses >= FEWEST_USES and (use.success or 0.0) < LEAST_USE_SUCCESS:
        return f"only {use.success:.0%} of {use.uses} uses succeed"
    return ""


def _rows(
    connection: Connection,
    proposals: Mapping[str, Mapping[Any, Any]],
    known: Mapping[str, Mapping[str, Any]],
    adopted: Mapping[str, Adoption],
    reserved: Collection[str],
    today: date,
) -> list[dict[str, Any]]:
    uses = {
        str(one["name"]): Use(int(one["uses"]), int(one["succeeded"]), one["last_use"].date())
        for one in templates.uses(connection).to_dict("records")
    }
    names = {sequence: str(one["name"]) for sequence, one in known.items()}
    names |= {sequence: one.name for sequence, one in adopted.items()}
    taken: dict[str, Sequence[str]] = {name: sequence.split(">") for sequence, name in names.items()}
    taken |= {name: () for name in reserved if name not in taken}
    rows = []
    for sequence in [*proposals, *(one for one in (*known, *adopted) if one not in proposals)]:
        prior, proposal = known.get(sequence), proposals.get(sequence)
        kinds = list(proposal["kinds"] if proposal else prior["kinds"] if prior else [])
        operations = sequence.split(">")
        if sequence not in names:
            names[sequence] = named(operations, kinds, taken)
            taken[names[sequence]] = operations
        name = names[sequence]
        document, obstacle = _draft(connection, name, kinds, operations, proposal, prior)
        adoption = adopted.get(sequence)
        use = uses.get(name, Use()) if adoption else Use()
        ended = next_state(
            prior["state"] if prior else None,
            proposal,
            adoption.day if adoption else None,
            use,
            today,
            obstacle,
        )
        if ended is None:
            continue
        state, reasons = ended
        figures = proposal or prior or {}
        rows.append(
            {
                "name": name,
                "sequence": sequence,
                "kinds": kinds,
                "state": state,
                "since": prior["since"] if prior and prior["state"] == state else today,
                "reasons": reasons,
                **{one: figures.get(one) for one in ("requests", "share", "success_rate", "seconds")},
                "adopted": adoption.day if adoption else None,
                "uses": use.uses,
                "use_success": use.success,
                "last_use": use.last,
                "document": document,
            }
        )
    return list({row["sequence"]: row for row in rows}.values())


def _draft(
    connection: Connection,
    name: str,
    kinds: Sequence[str],
    operations: Sequence[str],
    proposal: Mapping[str, Any] | None,
    prior: Mapping[str, Any] | None,
) -> tuple[str | None, str]:
    """The document and what is in its way; the last one where there are no figures for another."""
    if proposal is None:
        return (prior["document"] if prior else None), ""
    told = f"From {proposal['requests']} requests; {proposal['success_rate']:.0%} of such succeed."
    try:
        steps = [
            habits_of(operation, templates.uses_of_step(connection, operations, place))
            for place, operation in enumerate(operations)
        ]
        return draft(name, kinds, steps, told), ""
    except Undraftable as error:
        return None, error.message


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as they are to be stored again."""
    rows: list[dict[str, Any]] = []
    for one in frame.to_dict("records"):
        row = {str(name): value for name, value in one.items() if name != "kinds"}
        kept: dict[str, Any] = {name: None if pd.isna(value) else value for name, value in row.items()}
        for name in ("since", "adopted", "last_use"):
            kept[name] = kept[name].date() if kept[name] is not None else None
        rows.append(kept | {"kinds": list(one["kinds"])})
    return rows


def _store(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.begin()
    try:
        connection.execute("DELETE FROM templates")
        for row in rows:
            connection.execute(
                "INSERT INTO templates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_plain(row[name]) for name in _COLUMNS],
            )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
