"""The pages of the repository as tests read them: their blocks of code, their links, their anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PLACES = ("*.md", "docs/*.md", "examples/*/README.md", "tests/*/README.md", "benchmarks/**/README.md")
_EXCUSE = re.compile(r"<!-- not run: (.+?) -->")
_EXCERPT = re.compile(r"<!-- excerpt: (.+?) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code. ``page``: path below the repository; ``excuse``: why no test runs it, empty where one does; ``excerpt``: its
    name in docs/excerpts.py, of a block that is made there; ``section``: the text between the last heading and the block."""

    page: str
    line: int
    language: str
    text: str
    fenced: bool
    excuse: str
    excerpt: str
    section: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def folder(self) -> Path:
        """Where its page lies."""
        return (ROOT / self.page).parent


def pages() -> tuple[Path, ...]:
    """Every page that is written for people."""
    found = {path for place in PLACES for path in ROOT.glob(place)}
    return tuple(sorted(path for path in found if "node_modules" not in path.parts))


def blocks(*languages: str) -> tuple[Block, ...]:
    """Those in these languages (left out: in any) that have no excuse."""
    return tuple(each for each in every_block() if not each.excuse and (not languages or each.language in languages))


@cache
def every_block() -> tuple[Block, ...]:
    return tuple(block for page in pages() for block in _blocks(page))


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    lines = text.splitlines()
    name = page.relative_to(ROOT).as_posix()
    heading, before = 0, ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.map is None:
            continue
        if token.type == "heading_open":
            heading = token.map[1]
        if token.type in ("fence", "code_block"):
            excuse, excerpt = _EXCUSE.search(before), _EXCERPT.search(before)
            yield Block(
                name,
                token.map[0] + 1,
                token.info.strip(),
                token.content,
                token.type == "fence",
                excuse[1] if excuse else "",
                excerpt[1] if excerpt else "",
                "\n".join(lines[heading : token.map[0]]),
            )
        before = token.content if token.type == "html_block" else ""


def links(page: Path) -> Iterator[str]:
    """Targets of a page's links and pictures, as written."""
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text()):
        for child in token.children or ():
            if target := child.attrGet("href") or child.attrGet("src"):
                yield str(target)


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a link can lead to on a page: its headings, as repositories and the site spell them, and its own ids."""
    text = page.read_text()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    found: list[str] = re.findall(r'<a id="([^"]+)">', text)
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open":
            words = "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return frozenset(found)
