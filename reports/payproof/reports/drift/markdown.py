"""The comparison as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from payproof.contracts.comparing.drift import Drift, DriftDifference
from payproof.reports import values
from payproof.reports.drift import wording
from payproof.reports.formats.markdown import escape

_CELL = 300
_CASES = 5


def render(drift: Drift) -> str:
    """One table for each operation, with every value in full."""
    return "\n".join(_lines(drift)) + "\n"


def _lines(drift: Drift) -> Iterator[str]:
    banner, sentence = wording.verdict(drift)
    yield f"## {'✅' if banner == 'NO DRIFT' else '❌'} {banner}: {escape(drift.title)}"
    yield ""
    yield escape(sentence)
    yield ""
    yield " · ".join(escape(part) for part in wording.heading(drift))
    yield ""
    yield "| operation | facts compared | agree | fidelity |"
    yield "|---|---|---|---|"
    for each in drift.fidelity:
        percent = "-" if each.percent is None else f"{each.percent:g} %"
        yield f"| {escape(each.title)} | {each.compared} | {each.agreed} | {percent} |"
    for each in drift.fidelity:
        found = [one for one in drift.of("difference") if one.operation == each.operation]
        yield from _table(each.title, found, drift.target)
    yield from _table("Assumptions that the gateway answers", drift.of("assumption"), drift.target)
    if drift.proposals:
        yield f"\n### Proposed changes to the profile {escape(drift.gateway)}\n"
        yield from (f"- `{proposal.replace('`', ' ')}`" for proposal in drift.proposals)
    if drift.left:
        yield "\n### Not compared\n"
        yield from (f"- {escape(why)}: {escape(', '.join(cases))}" for why, cases in wording.reasons(drift).items())
    yield from (f"\n{escape(note)}" for note in drift.notes)


def _few(cases: tuple[str, ...]) -> str:
    more = len(cases) - _CASES
    return ", ".join(cases[:_CASES]) + (f" and {more} more" if more > 0 else "")


def _table(title: str, found: Iterable[DriftDifference], target: str) -> Iterator[str]:
    listed = tuple(found)
    if not listed:
        return
    yield f"\n### {escape(title)}\n"
    yield f"| what | contract | simulator | {target} | fact | known from | cases |"
    yield "|---|---|---|---|---|---|---|"
    for each in listed:
        cells = (
            wording.where(each), each.contract or "-", each.simulator, each.gateway, each.fact.name,
            wording.weight(each) or "-", _few(each.cases),
        )  # fmt: skip
        yield f"| {' | '.join(escape(values.cut(cell, _CELL)) for cell in cells)} |"
