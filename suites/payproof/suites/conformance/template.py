"""Makes a request of a step of a case: values in the place of ``{token}``, ``{client_id.unknown}``; a body as it travels."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import httpx

from payproof.contracts.comparing.catalogue import CaseRequest

_REFERENCE = re.compile(r"\{(\w+)(?:\.(unknown|swapcase))?\}")


class MissingValue(Exception):
    """A step refers to a value that no earlier answer held."""


def filled(step: CaseRequest, values: Mapping[str, str], *, own: str = "") -> CaseRequest:
    """The step with every reference in it replaced. ``own``: what looks like a reference and is the gateway's own word
    (``Profile.return_template``).

    Raises:
        MissingValue: there is no such value.
    """
    values = {**values, own[1:-1]: own}
    return replace(
        step,
        path=placed(step.path, values),
        headers=placed(step.headers, values),
        json=placed(step.json, values),
        form=placed(step.form, values),
    )


def written(step: CaseRequest, base_url: str) -> httpx.Request:
    """The step as it travels: ``Basic name:secret`` encoded."""
    headers = {name: _encoded(value) for name, value in step.headers.items()}
    return httpx.Request(
        step.method, base_url + step.path, headers=headers, json=step.json, data=step.form, content=step.raw
    )


def _encoded(value: str) -> str:
    scheme, _, pair = value.partition(" ")
    return f"{scheme} {base64.b64encode(pair.encode()).decode()}" if scheme == "Basic" and ":" in pair else value


def placed(value: Any, values: Mapping[str, str]) -> Any:
    """``value`` with every reference in its texts replaced.

    Raises:
        MissingValue: there is no such value.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _value(match, values), value)
    if isinstance(value, Mapping):
        return {key: placed(item, values) for key, item in cast("Mapping[str, Any]", value).items()}
    return [placed(item, values) for item in value] if isinstance(value, list) else value  # pyright: ignore


def needed(step: CaseRequest) -> frozenset[str]:
    """Names of the values that the step refers to, wherever it does."""
    return frozenset[str]().union(*map(_references, (step.path, step.headers, step.json, step.form)))


def _references(value: Any) -> frozenset[str]:
    """Names of the values that the texts refer to."""
    if isinstance(value, str):
        return frozenset(match[1] for match in _REFERENCE.finditer(value))
    inner = list(cast("Mapping[str, Any]", value).values()) if isinstance(value, Mapping) else value
    if not isinstance(inner, list):
        return frozenset()
    return frozenset(name for item in inner for name in _references(item))  # pyright: ignore[reportUnknownVariableType]


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    name, shape = match[1], match[2]
    if name not in values:
        raise MissingValue(name)
    return unknown(values[name]) if shape == "unknown" else swapped(values[name]) if shape else values[name]


def unknown(value: str) -> str:
    """A value of the same length and sorts of characters that tells nothing of ``value``."""
    return "".join(_other(value, place) for place in range(len(value)))


def _other(value: str, place: int) -> str:
    letter = value[place]
    if not letter.isalnum():
        return letter
    letters = "23456789" if letter.isdigit() else "ABCDEFGHJKM" if letter.isupper() else "abcdefghjkm"
    return letters[hashlib.sha256(f"{place}:{value}".encode()).digest()[0] % len(letters)]


def swapped(value: str) -> str:
    """The same letters in the other case."""
    return value.swapcase()
