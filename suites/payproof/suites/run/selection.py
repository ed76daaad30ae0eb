"""Which requirements a run is asked for: ``--only token.cached``, ``-k "token and not stampede"``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import TypeAlias

from payproof.contracts.checklist import Checklist, Item
from payproof.contracts.former_ids import current, former
from payproof.contracts.model import PayproofError

Matcher: TypeAlias = Callable[[str], bool]
_WORD = re.compile(r"\s*(\(|\)|[^\s()]+)")


def select(checklist: Checklist, only: Iterable[str], expression: str = "") -> tuple[str, ...]:
    """Requirement ids, in the checklist's order; nothing when nothing was asked for, which means all.

    ``only`` names requirements, their groups (``token``) or checklist items (``7``, ``G2``, ``token-expiry``).

    Raises:
        PayproofError: a name that does not exist, an expression that is none or that matches nothing.
    """
    names = list(only)
    everything = checklist.all_requirements()
    if not names and not expression:
        return ()
    wanted = {each for name in names for each in _named(checklist, name)} if names else set(everything)
    matches = matcher(expression) if expression else _all
    chosen = tuple(each for each in everything if each in wanted and matches(each))
    if not chosen:
        near = _near(re.findall(r"[\w.-]+", expression), everything)
        raise PayproofError(
            "no requirement is selected",
            place=f"-k {expression!r}",
            remedy=f"near: {', '.join(near)}" if near else "`payproof list checks` shows all",
        )
    return chosen


def _all(_: str) -> bool:
    return True


def _named(checklist: Checklist, name: str) -> tuple[str, ...]:
    everything = checklist.all_requirements()
    name = current(name)
    if name in everything:
        return (name,)
    item = find_item(checklist, name)
    if item:
        return checklist.requirements_of(item)
    if group := group_of(checklist, name):
        return group
    near = _near([name], everything)
    raise PayproofError(
        f'there is no requirement "{name}"',
        place=f"--only {name}",
        remedy=f"near: {', '.join(near)}" if near else "`payproof list checks` shows all",
    )


def find_item(checklist: Checklist, name: str) -> Item | None:
    """The checklist item of that number or id."""
    items = (*checklist.guidelines, *checklist.golive)
    return next((item for item in items if name.lower() in (item.id, item.number.lower())), None)


def group_of(checklist: Checklist, name: str) -> tuple[str, ...]:
    """The requirements of that group; none when there is no such group."""
    return tuple(each for each in checklist.all_requirements() if each.partition(".")[0] == name)


def _near(words: Iterable[str], names: Iterable[str]) -> list[str]:
    known = list(names)
    found: dict[str, None] = {}
    for word in words:
        if word in ("and", "or", "not"):
            continue
        found |= dict.fromkeys(name for name in known if word.lower() in name)
        found |= dict.fromkeys(get_close_matches(word, known, n=3, cutoff=0.6))
        tails = {name.split(".")[-1]: name for name in known}
        found |= dict.fromkeys(tails[tail] for tail in get_close_matches(word, tails, n=3, cutoff=0.6))
    return list(found)[:6]


def matcher(expression: str) -> Matcher:
    """A pytest-like expression: parts of names, joined by and, or, not and parentheses; letter case does not count."""
    words = list(_words(expression))
    parser = _Parser(words, expression)
    found = parser.either()
    if parser.at < len(words):
        raise parser.wrong(f'unexpected "{words[parser.at]}"')
    return found


def _words(expression: str) -> Iterator[str]:
    return (match[1] for match in _WORD.finditer(expression))


class _Parser:
    """or over and over not, as in Python."""

    def __init__(self, words: list[str], expression: str) -> None:
        self.words, self.expression, self.at = words, expression, 0

    def either(self) -> Matcher:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return lambda name: any(part(name) for part in parts)

    def both(self) -> Matcher:
        parts = [self.one()]
        while self.take("and"):
            parts.append(self.one())
        return lambda name: all(part(name) for part in parts)

    def one(self) -> Matcher:
        if self.take("not"):
            inner = self.one()
            return lambda name: not inner(name)
        if self.take("("):
            inner = self.either()
            if not self.take(")"):
                raise self.wrong("a parenthesis is not closed")
            return inner
        if self.at >= len(self.words) or self.words[self.at] in ("and", "or", ")"):
            raise self.wrong("a name is missing")
        part = self.words[self.at].lower()
        self.at += 1
        return lambda name: any(part in each.lower() for each in (name, *former(name)))

    def take(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at] == word:
            self.at += 1
            return True
        return False

    def wrong(self, message: str) -> PayproofError:
        remedy = 'parts of names, joined by and, or, not: -k "token and not stampede"'
        return PayproofError(f"not an expression: {message}", place=f"-k {self.expression!r}", remedy=remedy)
