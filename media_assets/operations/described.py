"""What people are told of an operation: for the terminal, the pages, and programs (JSON Schema)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from media_assets.operations.base import InputRule, Operation
from media_assets.operations.registry import operations

_TYPES = {
    "string": "String",
    "integer": "Int",
    "number": "Float",
    "boolean": "Bool",
    "object": "Object",
    "array": "Array",
}
_MANY = 12


def described(kind: Operation[Any]) -> dict[str, Any]:
    """An operation as JSON values: names, what it takes, parameters, an example, and JSON Schema."""
    schema = kind.parameters.model_json_schema()
    return {
        "name": kind.name,
        "aliases": list(kind.aliases),
        "version": kind.version,
        "summary": kind.summary,
        "description": " ".join((kind.parameters.__doc__ or "").split()),
        "takes": _taken(kind.takes),
        "parameters": [_parameter(name, member, schema) for name, member in _members(schema)],
        "example": example(kind),
        "schema": schema,
    }


def example(kind: Operation[Any]) -> dict[str, Any]:
    """The operation as a JobSpec would ask for it."""
    rule = kind.takes
    names = [f"clip{n + 1}" for n in range(rule.minimum)] if rule.minimum > 1 else ["clip"]
    names += [slot.name for slot in rule.slots if slot.required]
    given = {"input": names[0]} if len(names) == 1 else {"inputs": names}
    return {"op": kind.name, **given, "output": "result", "params": dict(kind.example)}


def _taken(rule: InputRule) -> dict[str, Any]:
    return {
        "minimum": rule.minimum,
        "maximum": rule.maximum,
        "kinds": sorted(rule.kinds),
        "needs": sorted(rule.needs),
        "ordered": rule.ordered,
        "slots": [
            {
                "name": slot.name,
                "aliases": list(slot.aliases),
                "kinds": sorted(slot.kinds),
                "required": slot.required,
            }
            for slot in rule.slots
        ],
    }


def _members(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(schema.get("properties", {}).items())


def _parameter(name: str, member: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    kinds = _alternatives(member, schema)
    return {
        "name": name,
        "type": " or ".join(dict.fromkeys(_type(kind) for kind in kinds)),
        "default": member.get("default"),
        "required": name in schema.get("required", ()),
        "choices": [choice for kind in kinds for choice in kind.get("enum", ()) if choice is not None],
        "range": next((r for kind in kinds if (r := _range(kind))), ""),
    }


def _alternatives(member: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The types a value may have, null left out: that is the same as leaving the parameter out."""
    if "$ref" in member:
        found = schema["$defs"][member["$ref"].rsplit("/", 1)[1]]
        return _alternatives({**found, **{k: v for k, v in member.items() if k != "$ref"}}, schema)
    if "x-type" in member:
        return [{**_first(member), **member}]
    if "anyOf" in member:
        kinds = [kind for part in member["anyOf"] for kind in _alternatives(part, schema)]
        return [kind for kind in kinds if kind.get("type") != "null"]
    return [member]


def _first(member: Mapping[str, Any]) -> Mapping[str, Any]:
    parts: list[Mapping[str, Any]] = list(member.get("anyOf", ()))
    return parts[0] if parts else {}


def _type(kind: Mapping[str, Any]) -> str:
    if "x-type" in kind:
        return str(kind["x-type"])
    if "enum" in kind or "const" in kind:
        return "Enum"
    return _TYPES.get(str(kind.get("type")), "Object")


def _range(kind: Mapping[str, Any]) -> str:
    low, high = kind.get("minimum"), kind.get("maximum")
    above, below = kind.get("exclusiveMinimum"), kind.get("exclusiveMaximum")
    parts = [f"≥ {low:g}" if low is not None else f"> {above:g}" if above is not None else ""]
    parts += [f"≤ {high:g}" if high is not None else f"< {below:g}" if below is not None else ""]
    if kind.get("pattern"):
        parts.append(f"like {kind['pattern']}")
    return ", ".join(part for part in parts if part)


def values_of(parameter: Mapping[str, Any]) -> str:
    """A parameter's range or choices in a few words."""
    choices = [str(choice) for choice in parameter["choices"]]
    if len(choices) > _MANY:
        choices = [*choices[:_MANY], f"… {len(choices)} in all"]
    return ", ".join(choices) or parameter["range"]


def takes_of(taken: Mapping[str, Any]) -> str:
    """What an operation takes, in a few words: `video or image`, `2 or more of audio or video`."""
    kinds = " or ".join(taken["kinds"])
    low, high = taken["minimum"], taken["maximum"]
    if high is None:
        kinds = f"{low} or more of {kinds}"
    elif high > 1:
        kinds = f"{low} of {kinds}" if low == high else f"{low} to {high} of {kinds}"
    needs = {"video": "with a picture", "audio": "with sound"}
    said = " ".join(needs[need] for need in taken["needs"])
    text = f"{kinds} {said}".strip()
    for slot in taken["slots"]:
        optional = "" if slot["required"] else " (optional)"
        text += f"; `{slot['name']}`: {' or '.join(slot['kinds'])}{optional}"
    return text


def page() -> str:
    """The page on all operations, as Markdown."""
    lines = [
        "# Operations",
        "",
        "Written from the registry by `make docs`; `media-assets operations NAME` says the same.",
        "Every operation runs from a JobSpec, a workflow and a segment of a komposition by the same code.",
        "",
        "| Name | What it does |",
        "| --- | --- |",
    ]
    all_of_them = [described(kind) for kind in operations().values()]
    lines += [f"| [{o['name']}](#{o['name']}) | {o['summary']} |" for o in all_of_them]
    for one in all_of_them:
        lines += ["", f"## {one['name']}", "", one["summary"], ""]
        if one["aliases"]:
            lines += [f"Also called {', '.join(f'`{alias}`' for alias in one['aliases'])}.", ""]
        lines += [f"Takes {takes_of(one['takes'])}. {one['description']}", ""]
        if one["parameters"]:
            lines += ["| Parameter | Type | Default | Values |", "| --- | --- | --- | --- |"]
            lines += [_row(parameter) for parameter in one["parameters"]]
            lines.append("")
        lines += ["```json", json.dumps(one["example"], ensure_ascii=False), "```"]
    return "\n".join(lines) + "\n"


def _row(parameter: Mapping[str, Any]) -> str:
    default = "required" if parameter["required"] else json.dumps(parameter["default"], ensure_ascii=False)
    shown = "" if parameter["default"] is None and not parameter["required"] else f"{default}"
    values = values_of(parameter).replace("|", "\\|")
    return f"| `{parameter['name']}` | {parameter['type']} | {shown} | {values} |"
