"""Problems of a configuration, in plain words and with the line they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from payproof.contracts.model import PayproofError
from payproof.suites.config.models import Config

KINDS = {
    "string_type": "a text in quotes",
    "tuple_type": 'a list, like ["a", "b"]',
    "dict_type": 'a table, like { name = "value" }',
    "model_type": "a table, like [integration]",
    "model_attributes_type": "a table, like [integration]",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date, like 2026-11-20",
    "date_parsing": "a date, like 2026-11-20",
    "date_from_datetime_parsing": "a date, like 2026-11-20",
    "date_from_datetime_inexact": "a date, like 2026-11-20",
}
SECRET = re.compile("secret|password|token|key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing to mend: the key's path, what is wrong, what to do."""

    path: tuple[str, ...]
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Where the keys come from: a file with its text, ``under`` which table of it, and what was said elsewhere."""

    place: str
    text: str = ""
    under: tuple[str, ...] = ()
    elsewhere: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(name, tables) of what goes before the file; the strongest first."""

    def where(self, path: tuple[str, ...]) -> str:
        """The key, its line in the file, or who else said it."""
        name = ".".join(path) or "the file"
        source = next((who for who, tables in self.elsewhere if _holds(tables, path)), "")
        line = 0 if source else line_of(self.text, (*self.under, *path))
        return f"{name} ({source})" if source else f"{name} (line {line})" if line else name


def _holds(tables: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    at: Any = tables
    for part in path:
        if not isinstance(at, Mapping):
            return True
        inside, at = _below(cast(Mapping[str, Any], at), part)
        if not inside:
            return False
    return bool(path)


def report(problems: Iterable[ConfigProblem], origin: ConfigSource) -> PayproofError:
    """All problems as one error."""
    place = origin.place
    found = [(origin.where(problem.path), problem) for problem in problems]
    if len(found) == 1:
        where, problem = found[0]
        return PayproofError(problem.message, place=f"{place}: {where}", remedy=problem.remedy)
    lines = [f"{where}: {p.message}{f'; {p.remedy}' if p.remedy else ''}" for where, p in found]
    return PayproofError("\n".join([f"{len(lines)} problems", *(f"  {line}" for line in lines)]), place=place)


def from_validation(error: ValidationError, data: Mapping[str, Any]) -> list[ConfigProblem]:
    """What pydantic found, in plain words."""
    return [_problem(detail, data) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails, data: Mapping[str, Any]) -> ConfigProblem:
    path = _path(detail, data)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "payproof":
        return ConfigProblem(path, context["message"], context["remedy"])
    if kind == "extra_forbidden":
        return ConfigProblem(path, "unknown key", _suggest(path))
    if kind == "missing":
        return ConfigProblem(path, "is needed and missing")
    if kind in KINDS:
        remedy = 'write command = ["python", "app.py"]' if path[-1:] == ("command",) else ""
        return ConfigProblem(path, f"must be {KINDS[kind]}, not {_shown(path, detail['input'])}", remedy)
    message = detail["msg"]
    return ConfigProblem(path, message[:1].lower() + message[1:])


def _shown(path: tuple[str, ...], value: object) -> str:
    if SECRET.search(path[-1] if path else ""):
        return f"a {type(value).__name__}"
    shown = "true" if value is True else "false" if value is False else repr(value)
    return shown if len(shown) < 60 else f"{shown[:57]}..."


def _path(detail: ErrorDetails, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The location as the user wrote it: without pydantic's own marks for unions and keys."""
    path: list[str] = []
    at: Any = data
    last = len(detail["loc"]) - 1
    for position, part in enumerate(detail["loc"]):
        inside, below = _below(at, part)
        if not inside and not (position == last and detail["type"] == "missing"):
            continue
        at = below
        path.append(str(part))
    return tuple(path)


def _below(at: Any, part: int | str) -> tuple[bool, Any]:
    """(whether there is such a key or number in it, what stands there)"""
    if isinstance(at, Mapping):
        table = cast(Mapping[int | str, Any], at)
        return part in table, table.get(part)
    if isinstance(at, list | tuple) and isinstance(part, int):
        return True, cast(Sequence[Any], at)[part]
    return False, None


def _suggest(path: tuple[str, ...]) -> str:
    known = keys_at(path[:-1])
    near = get_close_matches(path[-1], known, n=1, cutoff=0.5)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"keys here: {', '.join(known)}" if known else ""


def keys_at(path: tuple[str, ...]) -> list[str]:
    """The keys that a table of the file may have."""
    model: type[BaseModel] | None = Config
    for part in path:
        if model is None:
            return []
        if not part.isdigit():
            model = model_at(model, part)
    return [] if model is None else [name for name in aliases(model) if name != "folder"]


def aliases(model: type[BaseModel]) -> dict[str, str]:
    """Key in the file -> field."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def model_at(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model of the table below this key, if it is one."""
    names = aliases(model)
    if key not in names:
        return None
    return _model_in(model.model_fields[names[key]].annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in inner if model), None)


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The line that a key stands on, or that the nearest table above it begins on; 0 when neither is found."""
    table: tuple[str, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if head := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
            table = _parts(head[2])
            if head[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            seen.setdefault(table, number)
        elif key := re.match(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""", line):
            seen.setdefault((*table, *_parts(key[1])), number)
    for length in range(len(path), 0, -1):
        if path[:length] in seen:
            return seen[path[:length]]
    return 0


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"' ") for part in re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", dotted))
