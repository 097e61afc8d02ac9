"""Questions to a graph: what is made from what, what a change touches, why something is as it is."""

from __future__ import annotations

import pytest

from media_assets.registry.graph import (
    Cost,
    Edge,
    Graph,
    Made,
    Node,
    UnknownNode,
    ancestors,
    descendants,
    find,
)
from media_assets.registry.questions import impact, why
from media_assets.registry.showing import as_dot, as_json, as_mermaid, as_tree, lineage

OLD, NEW = "a" * 64, "b" * 64
SMALL, WIDE = "effect_resize_0123456789abcdef", "effect_resize_0123456800000000"


def made(**origins: str) -> Made:
    return Made("v", 1.0, origins)


def measured(key: str, seconds: float, size: int) -> Cost:
    return Cost(seconds, size, "measured", key)


@pytest.fixture
def graph() -> Graph:
    """A source, two effects of it of one file, something made from one of them, and one that never was."""
    nodes = [
        Node(
            "src_a_mp4",
            "source",
            "source_file",
            "src_a_mp4",
            made=made(content=NEW),
            wanted={"content": NEW},
            files=("source/a.mp4",),
        ),
        Node(
            SMALL,
            "effect",
            "effect_output",
            SMALL,
            "resize",
            made=made(src_a_mp4=OLD, code="1"),
            wanted={"src_a_mp4": NEW, "code": "1"},
            cost=measured("f1", 2.0, 100),
            files=("store/small.mp4",),
        ),
        Node(
            "preview/small/src_a_mp4",
            "workflow",
            "preview/small",
            "src_a_mp4",
            "resize",
            made=made(src_a_mp4=NEW),
            wanted={"src_a_mp4": NEW},
            cost=measured("f1", 2.0, 100),
            files=("store/small.mp4",),
            aliases=(WIDE,),
        ),
        Node("komp_x", "komposition", made=made(), cost=Cost(key="f2"), files=("store/x.mp4",)),
        Node(
            "effect_trim_ffffffffffffffff",
            "effect",
            wanted={"src_a_mp4": NEW},
            cost=Cost(9.0, 9, "measured"),
        ),
    ]
    edges = (
        Edge("src_a_mp4", SMALL),
        Edge("src_a_mp4", "preview/small/src_a_mp4"),
        Edge(SMALL, "komp_x"),
        Edge("src_a_mp4", "effect_trim_ffffffffffffffff"),
    )
    return Graph({node.id: node for node in nodes}, edges)


def test_walks_go_up_and_down_nearest_first(graph: Graph) -> None:
    assert ancestors(graph, "komp_x") == {SMALL: 1, "src_a_mp4": 2}
    assert list(descendants(graph, "src_a_mp4").items())[-1] == ("komp_x", 2)


def test_a_ring_of_edges_ends() -> None:
    ring = Graph({}, (Edge("a", "b"), Edge("b", "a")))
    assert ancestors(ring, "a") == {"b": 1}


@pytest.mark.parametrize(
    ("reference", "identifier"),
    [
        ("src_a_mp4", "src_a_mp4"),
        ("a.mp4", "src_a_mp4"),
        ("source/a.mp4", "src_a_mp4"),
        ("source_file/src_a_mp4", "src_a_mp4"),
        ("src_a", "src_a_mp4"),
        ("01234567", SMALL),
        ("effect_output/" + SMALL, SMALL),
        (WIDE, "preview/small/src_a_mp4"),
        ("01234568", "preview/small/src_a_mp4"),
    ],
)
def test_a_node_is_found_by_every_name_it_has(graph: Graph, reference: str, identifier: str) -> None:
    assert find(graph, reference) == identifier


@pytest.mark.parametrize(
    ("reference", "words"),
    [("effect_resize_0", "2 things"), ("nothing", "there is nothing"), ("", "nothing")],
)
def test_what_is_not_clear_is_refused(graph: Graph, reference: str, words: str) -> None:
    with pytest.raises(UnknownNode, match=words):
        find(graph, reference)


def test_what_shares_a_file_is_made_again_once(graph: Graph) -> None:
    found = impact(graph, "src_a_mp4", lambda node: Cost(5.0, 50, "estimated", "f2"))
    assert {one.node.id: (one.steps, one.made) for one in found.touched} == {
        SMALL: (1, True),
        "preview/small/src_a_mp4": (1, True),
        "effect_trim_ffffffffffffffff": (1, False),
        "komp_x": (2, True),
    }
    assert (found.cpu_seconds, found.bytes, found.unknown) == (7.0, 150, ())
    assert impact(graph, "src_a_mp4").unknown == ("komp_x",)


def test_why_tells_old_and_new_versions_and_what_is_above(graph: Graph) -> None:
    found = why(graph, SMALL)
    assert found.status == "stale"
    (reason,) = found.reasons
    assert (reason.kind, reason.subject, reason.before, reason.after) == ("source", "src_a_mp4", OLD, NEW)
    above = why(graph, "komp_x")
    assert (above.status, above.upstream) == ("stale", (SMALL,))
    assert [reason.kind for reason in above.reasons] == ["upstream"]
    assert why(graph, "preview/small/src_a_mp4").status == "current"


def test_what_was_never_made_and_what_lost_its_file_are_missing(graph: Graph) -> None:
    never = why(graph, "effect_trim_ffffffffffffffff")
    assert (never.status, never.reasons[0].kind) == ("missing", "never_made")
    gone = Graph({"thumbnail/a": Node("thumbnail/a", "thumbnail", made=made())}, ())
    lost = why(gone, "thumbnail/a")
    assert (lost.status, lost.reasons[0].kind) == ("missing", "output_missing")


def test_lineage_is_drawn_in_every_form(graph: Graph) -> None:
    part = lineage(graph, SMALL, "both")
    assert set(part.nodes) == {"src_a_mp4", SMALL, "komp_x"}
    assert as_tree(part, SMALL, "up").splitlines() == [
        f"{SMALL}: effect, resize",
        "└─ src_a_mp4: source, source/a.mp4",
    ]
    assert as_tree(part, SMALL, "both").splitlines()[2:] == [
        f"{SMALL}: effect, resize, used by:",
        "└─ komp_x: komposition",
    ]
    steps = {node["id"]: node["steps"] for node in as_json(part, SMALL, "both")["nodes"]}
    assert steps == {"src_a_mp4": -1, SMALL: 0, "komp_x": 1}
    assert [line for line in as_mermaid(part, SMALL).splitlines() if "-->" in line] == [
        "  n2 --> n0",
        "  n0 --> n1",
    ]
    assert f'"src_a_mp4" -> "{SMALL}";' in as_dot(part, SMALL)


def test_what_is_drawn_twice_is_told_in_full_once() -> None:
    nodes = {name: Node(name, "asset") for name in "abcd"}
    diamond = Graph(nodes, (Edge("a", "b"), Edge("a", "c"), Edge("b", "d"), Edge("c", "d"), Edge("z", "a")))
    assert as_tree(diamond, "d", "up").splitlines()[1:] == [
        "├─ b: asset, not made",
        "│  └─ a: asset, not made",
        "│     └─ z: unknown",
        "└─ c: asset, not made",
        "   └─ a: asset, not made, as above",
    ]


def test_names_with_quotes_do_not_break_the_drawings() -> None:
    odd = Graph({'a"b': Node('a"b', "source", files=('source/a"b.mp4',))}, ())
    assert '"a\\"b"' in as_dot(odd, 'a"b')
    assert 'a"b' not in as_mermaid(odd, 'a"b')
