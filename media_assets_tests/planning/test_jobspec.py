"""A job document is taken whole or refused with everything that is wrong, each with its place and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from media_assets.errors import BadInput, DocumentError
from media_assets.operations.registry import operations
from media_assets.planning.jobspec import Job, load, open_job, parse, read_job
from media_assets.planning.positions import decode, decode_yaml
from media_assets.planning.rewriting import normalized
from media_assets.planning.specs import OperationSpec, size
from media_assets.settings import PROJECT_ROOT

TRIM = {"op": "trim", "input": "a", "output": "x", "params": {"duration": "4s"}}


def document(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A JobSpec on `a`; what its last operation makes is wanted."""
    chain = list(operations or (TRIM,))
    outputs = [{"id": chain[-1]["output"]}]
    return {
        "inputs": [{"id": "a", "source": "a.mp4"}],
        "operations": chain,
        "outputs": outputs,
        **more,
    }


def found(value: Any) -> dict[str, str]:
    """What is wrong with a document, by place."""
    with pytest.raises(DocumentError) as caught:
        parse(value)
    return dict(caught.value.findings)


def written(tmp_path: Path, text: str, name: str = "job.json") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_every_problem_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = """{"spec": {
  "inputs": [
    {"id": "a", "source": "s3://bucket/a.mp4"},
    {"id": "b", "source": "../b.mp4", "typ": "video"},
    {"id": "c", "source": "c.mp4", "start_offset": "soon"}
  ],
  "operations": [
    {"op": "trimm", "input": "a", "output": "one"},
    {"op": "trim", "input": "nowhere", "output": "two",
     "params": {
       "duration": -1}},
    {"op": "resize", "input": "two", "output": "three",
     "widht": 640},
    {"op": "trim", "input": "five", "output": "four"},
    {"op": "trim", "input": "four", "output": "five"}
  ],
  "outputs": [{"id": "tree"},
    {"id": "three", "codec": {"video": {
      "crf": 900}}}],
  "priority": 11, "priority": 12,
  "limits": {"max_memory": "lots"}
}}"""
    with pytest.raises(DocumentError) as caught:
        load(written(tmp_path, text))
    lines = {
        place.removeprefix("$.spec."): int(re.findall(r"line (\d+): ", said)[0])
        for place, said in caught.value.findings
    }
    assert lines == {
        "inputs[0].source": 3,
        "inputs[1].source": 4,
        "inputs[1].typ": 4,
        "inputs[2].start_offset": 5,
        "operations[0].op": 8,
        "operations[0].output": 8,
        "operations[1].inputs[0]": 9,
        "operations[1].params.duration": 11,
        "operations[2].params.widht": 13,
        "operations": 7,
        "outputs[0].id": 17,
        "outputs[1].codec.video.crf": 19,
        "priority": 20,
        "limits.max_memory": 21,
    }
    said = dict(caught.value.findings)
    assert "did you mean 'type'" in said["$.spec.inputs[1].typ"]
    assert "trim" in said["$.spec.operations[0].op"]
    assert "width" in said["$.spec.operations[2].params.widht"]
    assert re.search("four → five|five → four", said["$.spec.operations"])


def test_yaml_is_told_of_by_line_too(tmp_path: Path) -> None:
    text = """\
inputs:
  - {id: a, source: a.mp4}
operations:
  - op: trim
    input: a
    output: x
    params:
      duration: 1:30
      durration: 4
outputs:
  - id: x
  - id: y
id: 7
outputs: [{id: z}]
"""
    with pytest.raises(DocumentError) as caught:
        load(written(tmp_path, text, "job.yml"))
    lines = {place: re.findall(r"line (\d+): ", said) for place, said in caught.value.findings}
    assert lines == {
        "$.operations[0].params.durration": ["9"],
        "$.operations[0].output": ["6"],
        "$.outputs[0].id": ["14"],
        "$.id": ["13"],
        "$.outputs": ["14"],
    }


def test_what_the_planner_finds_later_is_placed_in_the_file(tmp_path: Path) -> None:
    text = """{"inputs": [
  {"id": "a", "source": "a.mp4",
   "start_offset": 5},
  {"id": "b", "source": "b.mp4"}],
 "operations": [
  {"op": "trim", "input": "a", "output": "x",
   "start": 1},
  {"op": "trim", "inputs": ["b"], "output": "y"}],
 "outputs": [{"id": "x",
   "profile": "vp9"}, {"id": "y"}]}"""
    job = open_job(written(tmp_path, text))
    assert [operation.op for operation in job.operations] == ["trim", "trim", "trim", "encode"]
    error = DocumentError(
        "no",
        [
            ("$.operations[0].params.start", "1"),
            ("$.operations[1].inputs[0]", "2"),
            ("$.operations[2].params.start", "3"),
            ("$.operations[2]", "4"),
            ("$.operations[3].params.profile", "5"),
            ("$.operations[9]", "6"),
        ],
    )
    placed = job.placed(error)
    assert placed.findings == [
        ("$.operations[0].params.start", "line 7: 1"),
        ("$.operations[1].inputs[0]", "line 8: 2"),
        ("$.inputs[0].start_offset", "line 3: 3"),
        ("$.inputs[0]", "line 2: 4"),
        ("$.outputs[0].profile", "line 10: 5"),
        ("$.operations[9]", "line 5: 6"),
    ]
    assert placed.where == str(tmp_path / "job.json")


def test_a_part_of_an_input_is_a_trim_that_its_takers_take() -> None:
    spec = parse(
        document(
            TRIM,
            {"op": "concatenate", "inputs": ["a", "x", "a"], "output": "y"},
            inputs=[{"id": "a", "source": "a.mp4", "start_offset": "10s", "duration": "PT5M"}],
        )
    )
    made = normalized(spec)
    assert [operation.inputs for operation in made.operations] == [
        ["a.part"],
        ["a.part", "x", "a.part"],
        ["a"],
    ]
    part = made.operations[2]
    assert (part.op, part.output, part.params) == ("trim", "a.part", {"start": 10, "duration": 300})
    assert made.wanted == {"y": "y"}


def test_implied_names_take_nobodys() -> None:
    operation = {**TRIM, "input": "é 1", "output": "_1.part"}
    inputs = [{"id": "é 1", "source": "a.mp4", "duration": 3}]
    outputs = [{"id": "_1.part", "profile": "mp3"}]
    spec = parse(document(operation, inputs=inputs, outputs=outputs))
    names = [operation.output for operation in normalized(spec).operations]
    assert len(set(names)) == 3
    assert names[2] == "_1.part.encoded"
    long = "n" * 80
    spec = parse(document({**TRIM, "output": long}, outputs=[{"id": long, "profile": "mp3"}]))
    assert len(normalized(spec).wanted[long]) <= 80


@pytest.mark.parametrize(
    ("operation", "output", "params"),
    [
        ("trim", {}, None),
        ("trim", {"destination": "deep/a.mp4"}, None),
        ("trim", {"destination": "a.MP4", "format": "mp4"}, None),
        ("trim", {"destination": "s3://bucket/name"}, None),
        ("trim", {"destination": "a.webm"}, {"container": "webm"}),
        ("trim", {"destination": "a.mp4", "format": "mkv"}, {"container": "mkv"}),
        ("trim", {"profile": "podcast_mp3"}, {"profile": "podcast_mp3"}),
        ("trim", {"codec": {}}, None),
        ("trim", {"codec": {"video": {"crf": 30}}}, {"crf": 30}),
        (
            "trim",
            {
                "destination": "a.mp4",
                "codec": {
                    "video": {"codec": "libx265", "preset": "slow", "bitrate": 2_000_000},
                    "audio": {"codec": "aac", "bitrate": "128k"},
                },
            },
            {
                "container": "mp4",
                "video_codec": "libx265",
                "speed": "slow",
                "video_bitrate": "2000000",
                "audio_codec": "aac",
                "audio_bitrate": "128k",
            },
        ),
        ("to_mp3", {"destination": "a.mp3"}, None),
        ("to_mp3", {"destination": "a.mp3", "codec": {"audio": {"bitrate": "96k"}}}, None),
        ("encode", {"destination": "a.mkv"}, None),
    ],
)
def test_an_output_that_asks_for_a_format_is_encoded(
    operation: str, output: dict[str, Any], params: dict[str, Any] | None
) -> None:
    value = document({"op": operation, "input": "a", "output": "x"}, outputs=[{"id": "x", **output}])
    made = normalized(parse(value))
    if "bitrate" in str(output) and operation == "to_mp3":
        params = {"container": "mp3", "audio_bitrate": "96k"}
    if params is None:
        assert (made.wanted, len(made.operations)) == ({"x": "x"}, 1)
        return
    assert made.wanted == {"x": "x.encoded"}
    encode = made.operations[1]
    assert (encode.op, encode.inputs, encode.params) == ("encode", ["x"], params)


def test_what_everybody_may_say() -> None:
    spec = parse(
        document(
            limits={
                "max_duration": "2h",
                "max_resolution": "3840x2160",
                "max_cpu_seconds": 500,
                "max_memory": "2GiB",
                "max_output_size": "1.5 MB",
                "max_fetch_size": 1000,
            },
            priority=0,
            timeout="30m",
            debug=True,
        )
    )
    limits = spec.limits
    assert (limits.max_duration, limits.max_resolution) == (7200, (3840, 2160))
    assert (limits.max_memory, limits.max_output_size, limits.max_fetch_size) == (2 << 30, 1_500_000, 1000)
    assert (spec.priority, spec.timeout, spec.debug) == (0, 1800, True)


@pytest.mark.parametrize("value", [True, "", "many", "-1", "1XB", "1 2", "nan", [], {}, 0, -5, 1e30])
def test_what_is_no_size(value: Any) -> None:
    assert "$.limits.max_memory" in found(document(limits={"max_memory": value}))


def test_sizes_in_tens_and_in_twos() -> None:
    assert [size(text) for text in ("1k", "1KB", "1KiB", "2 gib", "7", "7B")] == [
        1000,
        1000,
        1024,
        2 << 30,
        7,
        7,
    ]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"priority": 11}, "$.priority"),
        ({"priority": 1.5}, "$.priority"),
        ({"timeout": 0}, "$.timeout"),
        ({"timeout": "later"}, "$.timeout"),
        ({"limits": {"max_speed": 1}}, "$.limits.max_speed"),
        ({"outputs": [{"id": "x", "codec": {"video": {"qp": 1}}}]}, "$.outputs[0].codec.video.qp"),
        (
            {"outputs": [{"id": "x", "codec": {"audio": {"bitrate": []}}}]},
            "$.outputs[0].codec.audio.bitrate",
        ),
        ({"outputs": [{"id": "x", "profile": "best"}]}, "$.outputs[0].profile"),
        ({"outputs": [{"id": "x", "destination": "a.avi"}]}, "$.outputs[0].destination"),
        ({"outputs": [{"id": "x", "format": "avi"}]}, "$.outputs[0].format"),
        ({"inputs": [{"id": "a", "source": "a.mp4", "duration": 0}]}, "$.inputs[0].duration"),
        ({"inputs": [{"id": "a", "source": "a.mp4", "type": "text"}]}, "$.inputs[0].type"),
        ({"inputs": [{"id": "a", "source": "a/../../b.mp4"}]}, "$.inputs[0].source"),
        ({"inputs": [{"id": "a", "source": "ftp://example.com/a.mp4"}]}, "$.inputs[0].source"),
        ({"inputs": [{"id": "a", "source": "http://me:you@example.com/"}]}, "$.inputs[0].source"),
    ],
)
def test_what_is_refused_where(more: dict[str, Any], place: str) -> None:
    assert set(found(document(**more))) == {place}


def test_an_output_that_nobody_takes_is_refused() -> None:
    value = document({**TRIM, "output": "unused"}, TRIM)
    assert "nobody takes 'unused'" in found(value)["$.operations[0].output"]


def test_two_outputs_for_one_destination_are_refused() -> None:
    outputs = [{"id": "x", "destination": "a.mp4"}, {"id": "y", "destination": "a.mp4"}]
    assert set(found(document(TRIM, {**TRIM, "output": "y"}, outputs=outputs))) == {
        "$.outputs[1].destination"
    }


def test_one_broken_operation_hides_nothing_and_blames_nobody_else() -> None:
    broken = {"op": "trim", "input": "a", "output": "x", "inputs": ["a"]}
    value = document(broken, {"op": "resize", "input": "x", "output": "y", "width": -7})
    assert set(found(value)) == {"$.operations[0]", "$.operations[1].params.width"}


@pytest.mark.parametrize("name", [name for name, kind in operations().items() if kind.takes.slots])
def test_parameters_may_name_further_inputs(name: str) -> None:
    takes = operations()[name].takes
    like = [f"in{index}" for index in range(takes.minimum)]
    named = {slot.name: f"{slot.name}_source" for slot in takes.slots}
    listed = OperationSpec.model_validate({"op": name, "inputs": [*like, *named.values()], "output": "x"})
    base = {"op": name, "inputs": like, "output": "x"}
    assert OperationSpec.model_validate({**base, "params": named}) == listed
    assert OperationSpec.model_validate({**base, **named}) == listed
    first = takes.slots[0]
    for alias in first.aliases:
        spec = OperationSpec.model_validate({**base, alias: "other"})
        assert spec.inputs == [*like, "other"]
    assert OperationSpec.model_validate(listed.model_dump()) == listed
    for wrong in ({**base, "inputs": listed.inputs, first.name: "y"}, {**base, first.name: 7}):
        with pytest.raises(ValueError, match=r"twice|name of an input"):
            OperationSpec.model_validate(wrong)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &big [1, 2]\nb: [*big, *big]", "aliases"),
        ("a: !!python/object/apply:os.system [ls]", "tags"),
        ("a: 1\n---\nb: 2", "second document"),
        ("? [a]\n: b", "name is expected"),
        ("[" * 40 + "]" * 40, "deeper"),
        ("a: [1", "YAML"),
        ("a: " + "9" * 9999, "YAML"),
    ],
)
def test_yaml_that_is_not_taken(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load(written(tmp_path, text, "job.yaml"))


def test_yaml_means_what_json_can_say() -> None:
    text = "a: 1:30\nb: [yes, null, ~, '1', 1, 010, 1.5, .5, 1e3, true, 2024-01-01]\n1: {no: on}\nc:"
    value, positions = decode_yaml(text)
    assert value == {
        "a": "1:30",
        "b": ["yes", None, None, "1", 1, 10, 1.5, 0.5, 1000.0, True, "2024-01-01"],
        "1": {"no": "on"},
        "c": None,
    }
    assert positions.lines["1", "no"] == 3


# No surrogates: JSON escapes what lies beyond as two of them, which YAML does not put together.
_TEXT = st.text(st.characters(max_codepoint=0xD7FF), max_size=8)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.recursive(
    _SCALARS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(_VALUES)
@settings(deadline=None)
def test_json_means_the_same_as_yaml(value: Any) -> None:
    text = json.dumps(value, indent=1)
    assert decode_yaml(text) == decode(text)


_NAMES = st.sampled_from(["a", "b", "x", "y", "", "a b", "é", "a.part", "x.encoded"])
_JUNK = _VALUES | _NAMES
_INPUT = st.fixed_dictionaries(
    {
        "id": _NAMES,
        "source": st.sampled_from(["a.mp4", "http://h/a", "s3://b/c", "..", "http://["]) | _JUNK,
    },
    optional={"type": _JUNK, "start_offset": _JUNK, "duration": _JUNK | st.just("3s")},
)
_OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(sorted(operations())) | _JUNK, "output": _NAMES | _JUNK},
    optional={"input": _NAMES | _JUNK, "inputs": st.lists(_NAMES) | _JUNK, "params": _JUNK, "audio": _JUNK},
)
_OUTPUT = st.fixed_dictionaries(
    {"id": _NAMES | _JUNK},
    optional={"destination": st.sampled_from(["a.mp4", "a.webm", "a.💥", "."]) | _JUNK}
    | {"codec": st.fixed_dictionaries({}, optional={"video": _JUNK, "audio": _JUNK})}
    | {"format": _JUNK, "profile": _JUNK},
)
_DOCUMENTS = st.fixed_dictionaries(
    {
        "inputs": st.lists(_INPUT, max_size=3) | _JUNK,
        "operations": st.lists(_OPERATION, max_size=4) | _JUNK,
        "outputs": st.lists(_OUTPUT, max_size=3) | _JUNK,
    },
    optional={"limits": _JUNK, "priority": _JUNK, "timeout": _JUNK, "debug": _JUNK},
)


@given(_DOCUMENTS | _JUNK | st.fixed_dictionaries({"spec": _DOCUMENTS | _JUNK}))
@settings(max_examples=300, deadline=None)
@example({"spec": {"spec": {}}})
@example(float("nan"))
@example(document(limits={"max_duration": float("inf")}))
def test_whatever_is_given_is_a_job_or_a_typed_error(value: Any) -> None:
    try:
        job = read_job(value)
    except DocumentError as error:
        assert error.findings
        assert all(place.startswith("$") and text for place, text in error.findings)
    else:
        names = [operation.output for operation in job.operations]
        assert len(set(names)) == len(names)
        assert set(job.wanted.values()) <= set(names)
        assert parse(job.spec.model_dump(mode="json")) == job.spec


REFUSED_SOURCES = {
    "2025-12-14-media-pipeline-architecture-design.md_00.json": {"$.inputs[0].source"},
    "EXAMPLES.md_01.json": set(),
    "EXAMPLES.md_17.json": {"$.spec.inputs[0].source"},
    "EXAMPLES.md_20.json": set(),
    "EXAMPLES.md_22.json": set(),
    "README.md_00.json": {"$.inputs[0].source"},
    "schemas-detailed-design.md_01.json": {"$.inputs[0].source", "$.inputs[2].source"},
}
"""Where real documents name sources in an object store, which are not taken."""


@pytest.mark.fixtures
@pytest.mark.parametrize("name", REFUSED_SOURCES)
def test_real_documents_load_or_are_refused_for_their_sources(media_fixtures: Path, name: str) -> None:
    path = media_fixtures / "documents" / "jobspecs" / name
    text = path.read_text()
    if REFUSED_SOURCES[name]:
        with pytest.raises(DocumentError) as caught:
            open_job(path)
        assert {place for place, _ in caught.value.findings} == REFUSED_SOURCES[name]
        assert all("s3://" in said for _, said in caught.value.findings)
    else:
        assert isinstance(open_job(path), Job)
    job = read_job(json.loads(re.sub(r'("source": ")s3://[^"]*/', r"\1", text)))
    assert [output.id for output in job.spec.outputs] == list(job.wanted)


@pytest.mark.fixtures
def test_a_real_document_says_what_it_says(media_fixtures: Path) -> None:
    path = media_fixtures / "documents" / "jobspecs" / "schemas-detailed-design.md_01.json"
    job = read_job(json.loads(path.read_text().replace("s3://bucket/", "")))
    assert (job.spec.priority, job.spec.timeout, job.spec.limits.max_duration) == (5, 1800, 7200)
    by_output = {operation.output: operation for operation in job.operations}
    assert by_output["background_music.part"].params == {"start": 10, "duration": 300}
    assert by_output["mixed_audio"].inputs == ["normalized", "background_music.part"]
    assert by_output["with_logo"].inputs == ["trimmed", "logo"]
    assert job.wanted == {"final": "final.encoded"}
    assert by_output["final.encoded"].params == {
        "container": "mp4",
        "video_codec": "libx264",
        "speed": "medium",
        "crf": 23,
        "audio_codec": "aac",
        "audio_bitrate": "128k",
    }


def test_the_job_in_the_docs_holds() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", (PROJECT_ROOT / "docs" / "jobs.md").read_text(), re.DOTALL)
    job = read_job(json.loads(block))
    assert dict(job.wanted) == {"small": "small.encoded", "cut": "cut.encoded", "ringtone": "ringtone"}
    assert read_job({"spec": json.loads(block)}).spec == job.spec
