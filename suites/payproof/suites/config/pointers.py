"""Where in an answer a value is found: ``json:/a/b``, ``header:Name``, ``html:CSS``, ``html:CSS@attribute``, ``location``,
``url:REGEX`` or ``cookie:NAME``.

Here is the syntax only; the customer reads values by them.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias, get_args

import soupsieve

Kind: TypeAlias = Literal["json", "header", "html", "location", "url", "cookie"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EXAMPLES = "json:/a/b, header:Name, html:CSS, location, url:REGEX, cookie:NAME"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ATTRIBUTE = re.compile(r"(.*\S)\s*@([A-Za-z_][\w:.-]*)", re.DOTALL)


class Pointing(NamedTuple):
    """A pointer, taken apart. ``argument`` is empty for ``location`` only."""

    kind: Kind
    argument: str


def split(pointer: str) -> Pointing:
    """Take a pointer apart.

    Raises:
        ValueError: it is empty, of no known kind, or its argument is not what its kind asks for.
    """
    kind, colon, argument = pointer.strip().partition(":")
    if not pointer.strip():
        raise ValueError(f"is empty; a pointer is one of {EXAMPLES}")
    if kind not in KINDS:
        raise ValueError(f'"{pointer}" is no pointer; a pointer is one of {EXAMPLES}')
    if kind == "location":
        if colon:
            raise ValueError("location stands alone: it is the address that the answer redirects to")
        return Pointing(kind, "")
    if not argument:
        raise ValueError(f'"{pointer}" points at nothing: something must follow the colon')
    if problem := _problem(kind, argument):
        raise ValueError(f'"{pointer}": {problem}')
    return Pointing(kind, argument)


def element(argument: str) -> tuple[str, str]:
    """The selector of an ``html:`` pointer, and the attribute that is asked for: empty when none is named."""
    found = _ATTRIBUTE.fullmatch(argument)
    return (found[1], found[2].lower()) if found else (argument, "")


def _problem(kind: Kind, argument: str) -> str:
    """What is wrong with the argument, or nothing."""
    if kind == "json":
        return _json_problem(argument)
    if kind == "html":
        return _css_problem(argument)
    if kind == "url":
        return _regex_problem(argument)
    return "" if _TOKEN.fullmatch(argument) else f'"{argument}" is not the name of a {kind}'


def _json_problem(path: str) -> str:
    if not path.startswith("/"):
        return f'a JSON Pointer begins with a slash: "json:/{path.removeprefix("$.").replace(".", "/")}"'
    if re.search(r"~(?![01])", path):
        return "in a JSON Pointer ~ is written ~0 and a slash within a name ~1"
    return ""


def _css_problem(selector: str) -> str:
    try:
        soupsieve.compile(element(selector)[0])
    except (soupsieve.SelectorSyntaxError, ValueError) as error:
        return f"not a CSS selector ({str(error).splitlines()[0].rstrip(':')})"
    return ""


def _regex_problem(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return f"not a regular expression ({error})"
    return "" if groups else "needs a group in parentheses: what it matches is the value"
