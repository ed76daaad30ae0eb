"""Writes the pages that are made from the registries, and the excerpts of output on the other pages.

``python docs/generate.py [--check] [--matrix FOLDER]``

``--check`` writes nothing and exits 1 when a page is out of date. ``--matrix`` takes the rows that tests/test_kill_matrix.py
left in FOLDER and writes the kill matrix.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from excerpts import renewed

from payproof.contracts.judging.requirements import requirements
from payproof.contracts.profile import load, names
from payproof.simulator.faults import registered
from payproof.simulator.faults.registry import FILTERS, Kind
from payproof.simulator.gateways.quatapay.magic import table
from payproof.suites.probes import probes

DOCS = Path(__file__).parent
NOTE = "<!-- Made by `python docs/generate.py`; change the code, not this page. -->\n"
KINDS: Mapping[Kind, str] = {
    "call": "Of a call, whose request was read",
    "handshake": "Of a TLS handshake, on a connection that begins one",
    "connection": "Of a connection, before a byte is read",
    "port": "Of the port, on which nobody is accepted",
}


def checks() -> Iterator[str]:
    """Every requirement: its sentence, why, how it is judged, how to mend it, and the planted mistakes that it finds."""
    yield "# Requirements and their checks\n"
    yield "A **must** that fails keeps an integration from going live; a **should** warns. Each has an anchor of its own: `checks.md#token.cached`.\n"
    planted = catches()
    group = ""
    listed = load("quatapay").checklist.all_requirements()
    others = [id for id in requirements() if id not in listed]
    for id in (*listed, *sorted(others, key=lambda id: requirements()[id].group)):
        found = requirements()[id]
        if found.group != group:
            group = found.group
            yield f"## {group}\n"
        yield f'<a id="{id}"></a>\n'
        yield f"### `{id}` ({found.level})\n"
        yield f"{found.text}\n"
        for title, text in (("Why", found.why), ("How it is judged", found.judged), ("How to mend it", found.fix)):
            if text:
                yield f"- **{title}.** {text}"
        for old in found.formerly:
            yield f'- **Formerly** <a id="{old}"></a>`{old}`, which is still taken.'
        provoked = [f"`{probe.name}`" for probe in probes().values() if id in probe.requirements]
        if provoked:
            yield f"- **Provoked by** {', '.join(provoked)}"
        if id in planted:
            yield "- **Known to catch**, planted in a shop and found ([kill matrix](kill-matrix.md)):"
            yield from planted[id]
        yield ""


def catches() -> Mapping[str, list[str]]:
    """Requirement -> the mistakes that it is known to find, from each defects.toml: those that it must find, else those that it
    finds beside another."""
    own: dict[str, list[str]] = {}
    beside: dict[str, list[str]] = {}
    for file in sorted(
        (*DOCS.parent.glob("examples/*/defects.toml"), *DOCS.parent.glob("tests/integrations/*/defects.toml"))
    ):
        for name, row in tomllib.loads(file.read_text())["defects"].items():
            line = f"    - {row['mistake']} `{file.parent.name}: {name}`"
            own.setdefault(row["requirement"], []).append(line)
            for id in row["also"]:
                beside.setdefault(id, []).append(line)
    return beside | own


def probe_pages() -> Iterator[str]:
    """Every probe."""
    yield "# Probes\n"
    yield "| probe | situation | lets judge |\n|---|---|---|"
    for probe in probes().values():
        yield f"| `{probe.name}` | {probe.text} | {', '.join(f'`{id}`' for id in probe.requirements)} |"


def faults() -> Iterator[str]:
    """Every fault with its parameters, and the magic values."""
    yield "# Faults\n"
    yield (
        "Armed by probes, the explorer, the control application (`POST /faults`) or in Python. A fault acts on a call, or before a request is "
        "read: [simulator.md](simulator.md#faults-of-the-wire).\n"
    )
    for kind, words in KINDS.items():
        taken = ", ".join(FILTERS[kind])
        yield f"## {words}\n"
        yield f"Filters: {taken}.\n" if taken else "No filters: it holds for everybody until it is cleared.\n"
        yield "| fault | what the gateway does | parameters |\n|---|---|---|"
        for name, cls in registered(kind).items():
            text = " ".join((inspect.getdoc(cls) or "").split()).replace("|", "\\|")
            fields = ", ".join(f"`{field.name}`" for field in dataclasses.fields(cls))
            yield f"| `{name}` | {text} | {fields} |"
        yield ""
    yield "## Magic values\n"
    yield "Outcomes that a shop's own checkout can ask for, without the control port.\n"
    yield "| value | outcome |\n|---|---|"
    for value, outcome in table(load("quatapay")):
        yield f"| {value} | {outcome} |"


def profiles() -> Iterator[str]:
    """Every fact of every profile with its provenance."""
    yield "# Profiles\n"
    yield (
        "Weight of a fact: **documented** (the gateway's own pages), **observed** (the server software that the family runs), **client** "
        "(what public clients do), **framework** (default of the web framework behind it), **inferred**, **assumed** (our choice).\n"
    )
    for name in (module.replace("_", "-") for module in names()):
        profile = load(name)
        yield f"## `{name}`: {profile.title}\n"
        yield f"Version {profile.version}. API below `{profile.base_path}`.\n"
        yield "| knob | default | weight | source | note |\n|---|---|---|---|---|"
        for knob, fact in profile.knobs.items():
            yield f"| `{knob}` | `{json.dumps(fact.value)}` | {fact.provenance} | {fact.source} | {fact.note} |"
        yield ""
        for id, text in profile.contradictions.items():
            yield f"**Contradiction**, `{id}`: {text}\n"
    yield "## Error texts\n"
    yield "| name | status | texts | calls | weight | source |\n|---|---|---|---|---|---|"
    for name, error in load("quatapay").errors.items():
        texts = "<br>".join(f"`{text}`" for text in error.texts)
        yield f"| `{name}` | {error.status} | {texts} | {', '.join(error.operations)} | {error.provenance} | {error.source} |"


def matrix(folder: Path) -> Iterator[str]:
    """The kill matrix as last run."""
    yield "# Kill matrix\n"
    yield (
        "Each row is an example shop with one planted defect. **Bold**: the check that must find it. The others found the same mistake's "
        "further consequences, which `defects.toml` declares; any other finding would fail the test. The careful shops get none.\n"
    )
    examples = DOCS.parent / "examples"
    for shop in ("flask-shop", "express-shop", "php-shop"):
        defects = tomllib.loads((examples / shop / "defects.toml").read_text())["defects"]
        yield f"## {shop}\n"
        yield "| defect | the mistake | found by |\n|---|---|---|"
        for careful in sorted(folder.glob(f"{shop}--careful*.json")):
            yield f"| {careful.stem.split('--')[1]} | none | {_found(json.loads(careful.read_text()), '') or 'nothing'} |"
        for name, row in defects.items():
            result = folder / f"{shop}--{name}.json"
            found = _found(json.loads(result.read_text()), row["requirement"]) if result.is_file() else "not run"
            yield f"| `{name}` | {row['mistake']} | {found} |"
        yield ""


def _found(rows: Mapping[str, str], own: str) -> str:
    ordered = sorted(rows, key=lambda id: (id != own, id))
    return ", ".join(f"**`{id}`**" if id == own else f"`{id}`" for id in ordered)


def clients() -> Iterator[str]:
    """What HTTP clients do, from the figures that benchmarks/clients/run.py has kept."""
    sys.path.insert(0, str(DOCS.parent / "benchmarks" / "clients"))
    from clients_page import page

    yield from page()


def main() -> int:
    """0 when everything is written (or, with --check, up to date)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--matrix", type=Path)
    options = parser.parse_args()
    made = {"checks.md": checks(), "probes.md": probe_pages(), "faults.md": faults(), "profiles.md": profiles()}
    made["clients.md"] = clients()
    if options.matrix:
        made["kill-matrix.md"] = matrix(options.matrix)
    pages = {DOCS / name: NOTE + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}
    pages |= {
        page: renewed(page.read_text()) for page in (DOCS.parent / "README.md", *DOCS.glob("*.md")) if page not in pages
    }
    stale = [page for page, text in pages.items() if not page.is_file() or page.read_text() != text]
    for page in stale:
        if options.check:
            print(f"{page.relative_to(DOCS.parent)} is out of date: run python docs/generate.py", file=sys.stderr)
        else:
            page.write_text(pages[page])
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
