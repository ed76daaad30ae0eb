"""``payproof list`` and ``payproof explain``: what there is, and what it means."""

from __future__ import annotations

import inspect
import json
import shutil
import textwrap
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches

import click

from payproof.contracts import profile
from payproof.contracts.checklist import Item
from payproof.contracts.former_ids import current
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.suites.commands import options
from payproof.suites.run.selection import find_item, group_of

GATEWAY = click.option("--gateway", default="quatapay", show_default=True, metavar="NAME", help="Whose profile.")
KINDS = ("checks", "probes", "faults", "gateways", "reports", "profile")


@click.command("list")
@click.argument("what", type=click.Choice([*KINDS, "facts"]), default="checks")
@GATEWAY
def listing(what: str, gateway: str) -> int:
    """List checks, probes, faults, gateways, reports, or the facts of a gateway's profile."""
    known = profile.load(gateway)
    kinds: dict[str, Callable[[], Iterable[str]]] = {
        "checks": lambda: _checks(known),
        "probes": lambda: _probes(known),
        "faults": _faults,
        "gateways": _gateways,
        "reports": _reports,
        "profile": lambda: _facts(known),
        "facts": lambda: _facts(known),
    }
    for line in kinds[what]():
        click.echo(line)
    return 0


@click.command()
@click.argument("name", metavar="REQUIREMENT|GROUP|ITEM", shell_complete=options.ids)
@GATEWAY
def explain(name: str, gateway: str) -> int:
    """Say what a requirement, a group of them or a checklist item asks, why, how it is judged and how to fix it."""
    known = profile.load(gateway)
    name = current(name)
    if item := find_item(known.checklist, name):
        lines = _item(known, item)
    elif name in known.checklist.all_requirements():
        lines = _requirement(known, name)
    elif group := group_of(known.checklist, name):
        lines = _group(known, name, group)
    else:
        raise _nothing(known, name)
    for line in lines:
        click.echo(line)
    return 0


def _width() -> int:
    return shutil.get_terminal_size((88, 24)).columns


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """``text`` without the markup of docstrings, in lines; names are never broken at their hyphens."""
    plain = text.replace("``", "`")
    return textwrap.wrap(
        plain, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _columns(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Two columns, the second wrapped."""
    kept = list(rows)
    left = max((len(name) for name, _ in kept), default=0) + 2
    for name, text in kept:
        lines = _wrapped(text, max(_width() - left, 30)) or [""]
        yield f"{name:<{left}}{lines[0]}".rstrip()
        yield from (" " * left + line for line in lines[1:])


def _checks(known: Profile) -> Iterator[str]:
    for item in (*known.checklist.guidelines, *known.checklist.golive):
        if not item.requirements:
            continue
        yield f"{item.number}  {item.title} ({item.id})"
        yield from _texts(known, item.requirements)
        yield ""


def _probes(known: Profile) -> Iterator[str]:
    from payproof.suites.probes import probes

    rows = ((each.name, f"{each.text} ({', '.join(each.requirements)})") for each in probes(known.name).values())
    return _columns(rows)


def _faults() -> Iterator[str]:
    from payproof.simulator.faults import registered

    return _columns((name, " ".join((inspect.getdoc(each) or "").split())) for name, each in registered().items())


def _gateways() -> Iterator[str]:
    loaded = (profile.load(name.replace("_", "-")) for name in profile.names())
    return _columns((each.name, f"{each.title} (profile {each.version})") for each in loaded)


def _reports() -> Iterator[str]:
    from payproof.reports import WRITERS

    return _columns((name, writer.filename) for name, writer in WRITERS.items())


def _facts(known: Profile) -> Iterator[str]:
    yield f"{known.name}, version {known.version}: {known.title}"
    yield ""
    yield "Knobs ([simulator.knobs]), their values, and where each is from"
    yield from _columns(
        (
            f"  {name}",
            f"{json.dumps(fact.value)}  {fact.provenance}: {fact.source}{f'. {fact.note}' if fact.note else ''}",
        )
        for name, fact in known.knobs.items()
    )
    yield ""
    yield "Error answers"
    yield from _columns(
        (f"  {name}", f"{error.status} {' / '.join(error.texts)}  {error.provenance}: {error.source}")
        for name, error in known.errors.items()
    )
    if known.contradictions:
        yield ""
        yield "Where advice and gateway contradict each other"
        yield from _columns((f"  {name}", text) for name, text in known.contradictions.items())


def _requirement(known: Profile, name: str) -> Iterator[str]:
    from payproof.contracts.judging.requirements import requirements_of

    found = requirements_of(known)[name]
    yield f"{name} ({found.level})"
    yield from _paragraph("", found.text)
    for title, text in (("Why", found.why), ("How it is judged", found.judged), ("How to fix it", found.fix)):
        yield from _paragraph(title, text)
    yield from _paragraph(f"On {known.name}", known.contradictions.get(name, ""))
    items = (*known.checklist.guidelines, *known.checklist.golive)
    part_of = [f"{item.number} {item.title}" for item in items if name in known.checklist.requirements_of(item)]
    yield from _paragraph("Formerly", ", ".join(found.formerly))
    yield from _paragraph("Part of", "; ".join(part_of))
    yield from _paragraph("Try it alone", f"payproof run --only {name}")


def _item(known: Profile, item: Item) -> Iterator[str]:
    yield f"{item.number} {item.title} ({item.id})"
    yield from _paragraph("", item.text)
    yield ""
    yield f"Made of (source: {known.checklist.source})"
    yield from _texts(known, known.checklist.requirements_of(item))


def _group(known: Profile, name: str, requirements: Iterable[str]) -> Iterator[str]:
    names = list(requirements)
    yield f"{name}: {len(names)} requirement{'s' if len(names) > 1 else ''} on {known.name}"
    yield ""
    yield from _texts(known, names)
    yield from _paragraph("More about one", f"payproof explain {names[0]}")
    yield from _paragraph("Try them alone", f"payproof run --only {name}")


def _texts(known: Profile, names: Iterable[str]) -> Iterator[str]:
    """Requirements with their levels and sentences."""
    from payproof.contracts.judging.requirements import requirements_of

    texts = requirements_of(known)
    return _columns((f"  {name}", f"{texts[name].level}: {texts[name].text}") for name in names)


def _paragraph(title: str, text: str) -> Iterator[str]:
    if not text:
        return
    yield ""
    if title:
        yield title
    yield from _wrapped(text, _width() - 2, "  ")


def _nothing(known: Profile, name: str) -> PayproofError:
    items = [item.id for item in (*known.checklist.guidelines, *known.checklist.golive)]
    groups = dict.fromkeys(each.partition(".")[0] for each in known.checklist.all_requirements())
    names = [*known.checklist.all_requirements(), *items, *groups]
    near = [each for each in names if name.lower() in each] + get_close_matches(name, names, n=2, cutoff=0.6)
    near = list(dict.fromkeys(near)) or get_close_matches(name, names, n=3, cutoff=0.4)
    remedy = f"did you mean {' or '.join(near[:4])}?" if near else "`payproof list checks` shows all"
    return PayproofError(
        f'there is no requirement, group or checklist item "{name}"', place="payproof explain", remedy=remedy
    )
