"""What is wrong with a message, as values; and how a schema's errors become such values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from payproof.contracts.contract.document import Node, walk
from payproof.contracts.model import Json

if TYPE_CHECKING:
    import jsonschema_rs

MISSING = "missing"
LONGEST = 200
"""Characters of a wrong value that a problem quotes."""
_PLACEHOLDER = re.compile(r"<[a-z][a-z0-9]*(-[a-z0-9]+)*(:[a-z0-9-]+)*>")
"""What the redactor writes in a secret's place: such a text has neither the length nor the letters of what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractProblem:
    """One difference between a message and the contract.

    ``place``: ``method``, ``path``, ``status``, ``header NAME``, ``query NAME``, ``body`` or ``body /POINTER``.
    ``expected``: the value, or in words what values there may be. ``actual``: the value, or ``missing``.
    """

    place: str
    expected: Json
    actual: Json
    weight: str = ""
    source: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.actual!r}, expected {self.expected!r}"


def at(node: Node, place: str, expected: Json, actual: Json) -> ContractProblem:
    """A problem with the provenance that ``node`` carries."""
    known: Node = node.get("x-provenance") or {}
    return ContractProblem(
        place=place,
        expected=expected,
        actual=quoted(actual),
        weight=str(known.get("weight", "")),
        source=str(known.get("source", "")),
    )


def quoted(value: Json) -> Json:
    """The value, a long text cut."""
    return f"{value[:LONGEST]}… ({len(value)} characters)" if isinstance(value, str) and len(value) > LONGEST else value


def of_schema(
    document: Node, schema: Node, errors: Iterable[jsonschema_rs.ValidationError], instance: Json, place: str
) -> Iterator[ContractProblem]:
    """One problem for each place that the schema's errors name; none for one that was redacted."""
    seen: set[str] = set()
    for error in errors:
        path = list(error.instance_path)
        for steps, value in _places(error, path, instance):
            if isinstance(value, str) and _PLACEHOLDER.search(value):
                continue
            found = at_path(document, schema, steps, place, expected_of(document, schema, steps, error), value)
            if found.place not in seen:
                seen.add(found.place)
                yield found


def at_path(
    document: Node, schema: Node, path: list[str | int], place: str, expected: Json, actual: Json
) -> ContractProblem:
    """A problem at a path below ``place``, with the nearest provenance on the way to it."""
    known = [node for node in walk(document, schema, path) if "x-provenance" in node]
    return at(known[-1] if known else {}, _pointer(place, path), expected, actual)


def _pointer(place: str, path: list[str | int]) -> str:
    return place + (" /" + "/".join(map(str, path)) if path else "")


def _places(
    error: jsonschema_rs.ValidationError, path: list[str | int], instance: Json
) -> Iterator[tuple[list[str | int], Json]]:
    """(path, value) of everything that one error is about: a missing or an unknown field is a place of its own."""
    kind: Any = error.kind
    if kind.name == "required":
        yield [*path, str(kind.property)], MISSING
    elif kind.name in ("additionalProperties", "unevaluatedProperties"):
        table = cast("dict[str, Json]", _value(instance, path))
        yield from (([*path, name], table[name]) for name in kind.unexpected)
    else:
        yield path, _value(instance, path)


def _value(instance: Json, path: list[str | int]) -> Json:
    value: Any = instance
    for part in path:
        value = value[part]
    return cast(Json, value)


_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "above {}",
    "multipleOf": "a multiple of {}",
}


def expected_of(document: Node, schema: Node, path: list[str | int], error: jsonschema_rs.ValidationError) -> Json:
    """What should stand there: in the document's own words, else what the broken rule says."""
    nodes = list(walk(document, schema, path))
    node: Node = nodes[-1] if len(nodes) == len(path) + 1 else {}
    if "x-expected" in node:
        return str(node["x-expected"])
    kind: Any = error.kind
    name, rule = str(kind.name), cast(Json, kind.value)
    if name in ("additionalProperties", "unevaluatedProperties"):
        return "no such field"
    if name == "required":
        return cast(Json, node["const"]) if "const" in node else str(node.get("description", "present"))
    if name == "const":
        return rule
    if name == "enum" and isinstance(rule, list):
        return rule[0] if len(rule) == 1 else {"one of": rule}
    if name in _BOUNDS:
        return _BOUNDS[name].format(rule)
    if name == "type" and isinstance(rule, list):
        return {name: rule[0] if len(rule) == 1 else rule}
    if name in ("pattern", "format"):
        return {name: rule}
    return error.message
