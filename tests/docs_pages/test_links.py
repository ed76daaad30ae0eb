"""Every link of a page leads somewhere, on the repository's pages and in the site that mkdocs makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from doc_pages import ROOT, anchors, every_block, links, pages

from payproof.contracts.judging.requirements import requirements


class _Loader(yaml.SafeLoader):
    """mkdocs.yml names functions of Python, which nobody needs here."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)  # pyright: ignore


def site() -> dict[str, Any]:
    read: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader=_Loader)
    return read


def _navigation(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        for inner in node.values() if isinstance(node, dict) else node:  # pyright: ignore[reportUnknownVariableType]
            yield from _navigation(inner)


def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading() -> None:
    lost: list[str] = []
    for page in pages():
        for link in links(page):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                lost.append(f"{page.relative_to(ROOT)}: {link}")
    assert lost == []


def test_every_page_of_docs_is_in_the_navigation_once_and_nothing_else_is() -> None:
    listed = list(_navigation(site()["nav"]))
    assert len(listed) == len(set(listed))
    outside = {name for name in listed if not (ROOT / "docs" / name).is_file()}
    assert set(listed) - outside == {page.name for page in ROOT.glob("docs/*.md")}
    assert outside - {"overview.md"} == {name for name in outside if (ROOT / name).is_file()}


def test_every_guide_is_named_on_the_front_pages() -> None:
    for front in (ROOT / "README.md", ROOT / "docs/index.md"):
        named = {(front.parent / link.partition("#")[0]).resolve() for link in links(front)}
        missing = {page.name for page in ROOT.glob("docs/*.md")} - {path.name for path in named} - {"index.md"}
        assert missing == set(), front.name


def test_every_requirement_has_an_anchor_of_its_own() -> None:
    assert set(requirements()) <= anchors(ROOT / "docs/checks.md")


def test_the_site_asks_nobody_outside_for_fonts_or_scripts() -> None:
    configured = site()
    assert configured["theme"]["font"] is False
    assert not {"extra_javascript", "extra_css"} & set(configured)


def test_a_lost_anchor_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two` (three)\n\n## One two three\n\n## Same\n\n## Same\n\n[x](#nowhere)\n")
    assert anchors(page) == {"one-two-three", "one-two-three-1", "same", "same-1"}
    assert list(links(page)) == ["#nowhere"]


def test_excerpts_are_marked_where_they_are_made() -> None:
    made = {block.excerpt for block in every_block() if block.excerpt}
    source = (ROOT / "docs/excerpts.py").read_text()
    assert made == set(re.findall(r'^    "(\w+)": ', source, re.MULTILINE))
