"""The badge as a picture: one word about going live."""

from __future__ import annotations

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports import facts
from payproof.reports.formats.shields import COLOURS, LABEL
from payproof.reports.registry import writer

_CAPITAL, _SMALL, _NARROW = 7.4, 6.1, 4.4
"""Pixels that a letter takes at 11 px; ``_NARROW``: a capital I, a blank."""
_MARGIN, _HEIGHT = 7, 20
"""Pixels beside a word, and of the whole badge."""


@writer("badge", "badge.svg")
def render(result: Result, run: Run) -> str:
    """SVG, 20 pixels high, without a script or an outside font; named for readers of the screen."""
    word = facts.BANNERS[result.outcome]
    left, right = _width(LABEL), _width(word)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" aria-label="{LABEL}: {word}">
<title>{LABEL}: {word}</title>
<clipPath id="r"><rect width="{left + right}" height="{_HEIGHT}" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="{_HEIGHT}" fill="#24292f"/>
<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="#{COLOURS[result.outcome]}"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="{left / 2:g}" y="14" textLength="{left - 2 * _MARGIN}">{LABEL}</text>
<text x="{left + right / 2:g}" y="14" textLength="{right - 2 * _MARGIN}">{word}</text>
</g>
</svg>
"""


def _width(word: str) -> int:
    letters = sum(_NARROW if letter in "I " else _CAPITAL if letter.isupper() else _SMALL for letter in word)
    return round(letters) + 2 * _MARGIN
