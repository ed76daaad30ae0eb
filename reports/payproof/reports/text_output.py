"""Text on the console: wrapped, indented lines in the letters that it has, without trailing blanks."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from payproof.contracts.reading import levels
from payproof.reports import facts

_WIDEST_ROW = 100
"""Cells of a table's line: its right column must stay in sight of its title."""
_TYPOGRAPHY = str.maketrans(
    {
        "–": "-",
        "—": "-",
        "…": "...",
        "→": "->",
        "·": "-",
        "×": "x",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "\u00a0": " ",
    }
)


class TextOutput:
    """What commands say to people. ``ascii``: the console's encoding has no more than that."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.ascii = not (console.encoding or "").lower().startswith("utf")
        self.width = max(console.width, 20)

    def say(self, text: str | Text = "", *, indent: int = 0, style: str = "", lead: Text | None = None) -> None:
        """One paragraph, wrapped; ``lead`` stands before its first line and the others hang below the text."""
        body = text if isinstance(text, Text) else Text(self.plain(_on_one_line(text)), style=style)
        hang = indent + (lead.cell_len + 1 if lead else 0)
        for number, part in enumerate(body.wrap(self.console, max(self.width - hang, 10)) or [Text()]):
            part.rstrip()
            front = Text(" " * indent).append_text(lead).append(" ") if lead and not number else Text(" " * hang)
            self._print(front.append_text(part) if part else front if lead and not number else Text())

    def lines(self, text: str, *, lead: Text | None = None) -> None:
        """A paragraph, and below it further lines as they are indented, like those of a stack trace."""
        first, *more = text.splitlines() or [""]
        self.say(first, lead=lead)
        for line in more:
            self.say(line.strip(), indent=4 + min(len(line) - len(line.lstrip()), 8))

    def row(self, mark: Text, number: str, title: str, right: str, beside: str = "") -> None:
        """A line of a table: mark, number, title, a few letters at the right edge, and a note before these."""
        front = Text(" ").append_text(mark).append(f" {number:>3} ", style="dim")
        note = f"{beside}  " if beside and right else beside
        room = min(self.width, _WIDEST_ROW) - front.cell_len - cell_len(note) - cell_len(right) - 1
        middle = Text(self.shorten(title, room))
        line = front.append_text(middle).append(" " * (room - middle.cell_len + 1)).append(note + right, style="dim")
        line.rstrip()
        self._print(line)

    def rule(self, title: str = "") -> None:
        """An empty line and a line across, with its title."""
        self._print(Text())
        head = f"{self.plain(title)} " if title else ""
        across = ("-" if self.ascii else "─") * max(self.width - cell_len(head), 3)
        self._print(Text(head, style="bold").append(across, style="not bold dim"))

    def shorten(self, text: str, room: int) -> str:
        """``text`` on one line, cut to ``room`` cells."""
        shown = self.plain(_on_one_line(text))
        if cell_len(shown) <= room:
            return shown
        dots = "..." if self.ascii else "…"
        return set_cell_size(shown, max(room - len(dots), 0)).rstrip() + dots

    def plain(self, text: str) -> str:
        """``text`` in letters that the console has."""
        if not self.ascii:
            return facts.clean(text)
        known = unicodedata.normalize("NFKD", facts.clean(text).translate(_TYPOGRAPHY))
        bare = "".join(letter for letter in known if not unicodedata.combining(letter))
        return bare.encode("ascii", "replace").decode()

    def _print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True, highlight=False)


def _on_one_line(text: str) -> str:
    """Without colours and other sequences for a terminal, which would leave their letters behind."""
    return facts.line(levels.plain(text))
