"""Hooks of mkdocs: pages of the repository outside docs/, brought into the site, so that one link works in both places.

README.md becomes overview.md (the site's own front page is index.md); everything else that a page links to (the house's
pages, the examples', a program, the licence) keeps its path below the repository.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = "docs/"
FRONT, OVERVIEW = "README.md", "overview.md"
_LINK = re.compile(r"(\]\()([^)#:\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the pages link to, and what those link to."""
    waiting = [FRONT, *(DOCS + file.src_uri for file in files.documentation_pages())]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        if not path.startswith(DOCS):
            files.append(File.generated(config, _in_site(path), abs_src_path=str(ROOT / path)))
        if path.endswith(".md"):
            found = set(_linked(path)) - seen
            seen |= found
            waiting += [each for each in found if (ROOT / each).is_file()]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between paths of the repository into links between pages of the site."""
    here = page.file.src_uri
    path = _in_repository(here)

    def moved(match: re.Match[str]) -> str:
        target = _in_site(_joined(path, match[2]))
        return match[1] + posixpath.relpath(target, posixpath.dirname(here) or ".")

    return _LINK.sub(moved, markdown)


def _linked(path: str) -> Iterable[str]:
    return (_joined(path, match[2]) for match in _LINK.finditer((ROOT / path).read_text()))


def _joined(path: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link))


def _in_site(path: str) -> str:
    return OVERVIEW if path == FRONT else path.removeprefix(DOCS)


def _in_repository(uri: str) -> str:
    if uri == OVERVIEW:
        return FRONT
    return DOCS + uri if (ROOT / DOCS / uri).is_file() else uri
