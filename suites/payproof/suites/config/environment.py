"""``PAYPROOF_*``: keys of the configuration as environment variables, tables separated by two underscores.

``PAYPROOF_GATEWAY=qrpay``, ``PAYPROOF_INTEGRATION__URL=...``, ``PAYPROOF_INTEGRATION__ENV__PAY_KEY=...``.
Lists are JSON (a command may be written as in a shell), tables are JSON.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from payproof.contracts.model import PayproofError
from payproof.suites.config.models import Config
from payproof.suites.config.problems import aliases, model_at

PREFIX = "PAYPROOF_"
_SHORTEST = 4
"""Characters from which a value is hidden within other texts; a shorter one is hidden where it stands alone."""
_LISTS = ("tuple[", "Tuple[")


def tables(environ: Mapping[str, str]) -> dict[str, Any]:
    """The environment's share of the configuration. Variables that name no table or key of it are somebody else's."""
    found: dict[str, Any] = {}
    for name in sorted(environ):
        parts = name.removeprefix(PREFIX).split("__")
        if name.startswith(PREFIX) and environ[name] and parts[0].lower() in aliases(Config):
            _put(found, name, parts, environ[name])
    found.pop("folder", None)
    return found


def _put(found: dict[str, Any], name: str, parts: list[str], text: str) -> None:
    """Walk down the models; below a free table (env, headers ...) the rest of the name is the key as it stands."""
    model: type[BaseModel] = Config
    table = found
    for position, part in enumerate(parts[:-1]):
        key = part.lower()
        below = model_at(model, key)
        table = table.setdefault(key, {})
        if below is None:
            free = str(model.model_fields[names[key]].annotation) if key in (names := aliases(model)) else ""
            table["__".join(parts[position + 1 :])] = _any(text) if "Json" in free else text
            return
        if _is_list(model, key):
            raise PayproofError("a list of tables is given as JSON", place=name, remedy=f"{PREFIX}{part}='[{{...}}]'")
        model = below
    key = parts[-1].lower()
    table[key] = _value(model, key, text, name)


def _value(model: type[BaseModel], key: str, text: str, place: str) -> Any:
    names = aliases(model)
    if key not in names:
        return text  # the validation reports the unknown key
    if _is_list(model, key):
        return _json(text, place) if text.lstrip().startswith("[") else shlex.split(text)
    is_table = model_at(model, key) is not None or "dict[" in str(model.model_fields[names[key]].annotation)
    return _json(text, place) if is_table else text


def _is_list(model: type[BaseModel], key: str) -> bool:
    names = aliases(model)
    return key in names and str(model.model_fields[names[key]].annotation).startswith(_LISTS)


def _any(text: str) -> Any:
    """A value of any kind: what is no JSON is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise PayproofError(
            f"not JSON: {error}", place=place, remedy='a list or table is written as JSON: ["a", "b"]'
        ) from None


def expand_sandbox(data: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """``${NAME}`` in the sandbox's settings; names that are not set stay as they are (``Sandbox.missing``).

    Returns:
        The tables, and what was put in -> how it stands in the file, the longest first: no message may show a value of the
        environment.
    """
    sandbox = data.get("sandbox")
    if not isinstance(sandbox, Mapping):
        return dict(data), {}
    hidden: dict[str, str] = {}
    found = {**data, "sandbox": _expand(dict(sandbox), environ, hidden)}  # pyright: ignore[reportUnknownArgumentType]
    return found, dict(sorted(hidden.items(), key=lambda pair: -len(pair[0])))


def _expand(value: Any, environ: Mapping[str, str], hidden: dict[str, str]) -> Any:
    if isinstance(value, str):
        if shell := re.search(r"\$\{(\w+)[:?+=-]", value):
            raise PayproofError(
                f"${{{shell[1]}...}} is a shell's way to say a default, which is not known here",
                place="payproof.toml: [sandbox]",
                remedy=f"write ${{{shell[1]}}}, and set it in the environment",
            )

        def fresh(match: re.Match[str]) -> str:
            new = environ.get(match[1])
            if not new:
                return match[0]
            if len(new) >= _SHORTEST:
                hidden[new] = match[0]
            return new

        if (whole := re.sub(r"\$\{(\w+)\}", fresh, value)) != value:
            hidden[whole] = value
        return whole
    if isinstance(value, Mapping):
        return {str(key): _expand(item, environ, hidden) for key, item in value.items()}  # pyright: ignore
    return value


def masked(error: PayproofError, hidden: Mapping[str, str]) -> PayproofError:
    """The error with what came from the environment as it stands in the file."""

    def shown(text: str) -> str:
        for value, name in hidden.items():
            for spelled in (value, repr(value)[1:-1]):
                # Whole words only: a value that is a letter or two stands in half of all words.
                word = rf"(?<!\w){re.escape(spelled)}(?!\w)" if spelled.isalnum() else re.escape(spelled)
                text = name.join(re.split(word, text))
        return text

    return PayproofError(shown(error.message), place=shown(error.place), remedy=shown(error.remedy))
