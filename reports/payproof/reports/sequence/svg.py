"""The diagram as inline SVG. Colours come from the page's style sheet, so that it follows light, dark and print."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from payproof.reports.sequence.arrows import GATEWAY, INTEGRATION, Arrow, Line, Note, SequencePart, lanes

WIDTH = 920
_HEAD, _ROW, _SENTENCE, _NOTE = 44, 26, 18, 26
_LETTER = 6.3
"""Width of a small letter, for boxes around text."""
_LINE = 118
"""Letters in a line of a sentence."""


@dataclass(frozen=True, slots=True)
class _Plan:
    places: dict[str, float]

    def centre(self, name: str) -> float:
        return self.places[name]


def svg(found: Sequence[Line], pointed: Collection[int] = ()) -> Markup:
    """The whole diagram, ``WIDTH`` units wide. ``pointed``: numbers of the entries whose lines are marked."""
    names = lanes(found)
    gap = WIDTH / len(names)
    plan = _Plan({name: gap * (place + 0.5) for place, name in enumerate(names)})
    parts: list[Markup] = []
    height = float(_HEAD)
    for each in found:
        drawn, below = _drawn(each, plan, height)
        marked = each.n in pointed
        parts += [_band(height, below)] if marked else []
        parts += [
            Markup('<g role="img" aria-label="{}{}">{}</g>').format(
                "marked: " if marked else "", _in_words(each), drawn
            )
        ]
        height = below
    height += 14
    return Markup('<svg class="sequence" viewBox="0 0 {} {:.0f}" role="group" aria-label="{}">{}{}</svg>').format(
        WIDTH, height, "Sequence diagram", Markup("").join(_lanes(plan, height)), Markup("").join(parts)
    )


def _in_words(each: Line) -> str:
    """The line in words."""
    match each:
        case SequencePart():
            return f"{each.number}: {each.text}" if each.number else each.text
        case Arrow():
            return f"{each.source} to {each.target}: {each.text}"
        case Note():
            return f"{each.over}: {each.text}"


def _band(top: float, below: float) -> Markup:
    return Markup(
        '<g class="pointed" aria-hidden="true"><rect class="band" x="2" y="{:.0f}" width="{}" height="{:.0f}" rx="4"/>'
        '<text class="pointer" x="14" y="{:.0f}">▶</text></g>'
    ).format(top + 3, WIDTH - 4, below - top, (top + below) / 2 + 7)


def _lanes(plan: _Plan, height: float) -> Iterator[Markup]:
    for name, x in plan.places.items():
        kind = name if name in (INTEGRATION, GATEWAY) else "customer"
        yield Markup('<line class="lane {}" x1="{:.1f}" x2="{:.1f}" y1="34" y2="{:.0f}"/>').format(
            kind, x, x, height - 6
        )
        wide = max(len(name) * 7.4 + 26, 96)
        yield Markup('<rect class="who {}" x="{:.1f}" y="4" width="{:.1f}" height="28" rx="14"/>').format(
            kind, x - wide / 2, wide
        )
        yield Markup('<text class="who {}" x="{:.1f}" y="22.5">{}</text>').format(kind, x, name)


def _drawn(each: Line, plan: _Plan, y: float) -> tuple[Markup, float]:
    match each:
        case SequencePart():
            return _chapter(each, y)
        case Arrow():
            return _arrow(each, plan, y), y + _ROW
        case Note():
            return _note(each, plan, y), y + _NOTE


def _chapter(chapter: SequencePart, y: float) -> tuple[Markup, float]:
    rows = textwrap.wrap(chapter.text, _LINE) or [""]
    top, height = y + 10, 12 + _SENTENCE * len(rows)
    number = Markup('<text class="number" x="26" y="{:.0f}">{}</text>').format(top + 18, _number(chapter))
    sentence = Markup("").join(
        Markup('<text class="sentence" x="46" y="{:.0f}">{}</text>').format(top + 18 + _SENTENCE * place, row)
        for place, row in enumerate(rows)
    )
    box = Markup('<rect class="part" x="6" y="{:.0f}" width="{}" height="{}" rx="6"/>').format(top, WIDTH - 12, height)
    return box + number + sentence, top + height + 6


def _number(chapter: SequencePart) -> str:
    return "›" if chapter.number is None else str(chapter.number or "✓")


def _arrow(arrow: Arrow, plan: _Plan, y: float) -> Markup:
    start, end = plan.centre(arrow.source), plan.centre(arrow.target)
    turn = 1 if end > start else -1
    tip, line = end - turn * 2, y + 18
    head = f"{tip:.1f},{line:.1f} {tip - turn * 8:.1f},{line - 4:.1f} {tip - turn * 8:.1f},{line + 4:.1f}"
    middle = (start + end) / 2
    if abs(end - start) > WIDTH / 2:  # a line that crosses a lane: the words stand near their speaker
        middle = start + turn * abs(end - start) / 4
    return Markup(
        '<g class="arrow {}"><line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/><polygon points="{}"/>{}</g>'
    ).format(arrow.tone, start, tip - turn * 6, line, line, head, _words(arrow.text, middle, line - 5))


def _words(text: str, x: float, y: float) -> Markup:
    wide = len(text) * _LETTER + 6
    x = min(max(x, wide / 2 + 2), WIDTH - wide / 2 - 2)
    back = Markup('<rect class="back" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="13"/>').format(
        x - wide / 2, y - 10, wide
    )
    return back + Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format(x, y, text)


def _note(note: Note, plan: _Plan, y: float) -> Markup:
    wide = len(note.text) * (_LETTER + (0.7 if note.tone == "money" else 0)) + 18
    x = min(max(plan.centre(note.over), wide / 2 + 2), WIDTH - wide / 2 - 2)
    return Markup(
        '<g class="remark {}"><rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="20" rx="4"/>'
        '<text x="{:.1f}" y="{:.1f}">{}</text></g>'
    ).format(note.tone, x - wide / 2, y + 4, wide, x, y + 18, note.text)
