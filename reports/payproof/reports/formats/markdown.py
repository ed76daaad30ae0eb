"""The Markdown report: short enough for a comment on a pull request, the evidence folded away."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Iterator

from payproof.contracts.model import Finding, Judgement, Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import facts, reasons, replay, values
from payproof.reports.chapters import ChapterBuilder
from payproof.reports.registry import writer
from payproof.reports.scenes import Scene

_MARKS = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.WARN: "⚠️",
    Verdict.NOT_EXERCISED: "⚪",
    Verdict.NOT_APPLICABLE: "➖",
    Verdict.ATTESTED: "✍️",
    Verdict.ERROR: "💥",
}
_TOLD = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)
_TITLE, _BODY, _FINDINGS, _LINES = 300, 600, 5, 60
_SEE = "see the HTML report."
_MARKUP = re.compile(r"[\\`*_\[\]|~<>&]")
_LINKING = re.compile(r"@(?=\w)|#(?=\d)|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
"""What GitHub makes a link of, also when it is escaped: a word joiner after it keeps it text."""


@writer("markdown", "report.md", usual=True)
def render(result: Result, run: Run) -> str:
    """GitHub-flavoured Markdown for a comment, which holds 65,536 characters: there is room for some more beside it."""
    return document(result, run, room=62_000)


def document(result: Result, run: Run, *, room: int) -> str:
    """The report in ``room`` bytes, at least 20,000. Failures that have no room are counted, and so are the reasons of what was
    not exercised."""
    parts, silent = [*_head(result, run), *_replayed(run), *_table(result)], list(_silent(result))
    if _size(silent) > room // 4:
        silent = [f"\nWhat was not exercised has no room here: {_SEE}"]
    size, left = _size(parts) + _size(silent) + len(_SEE) + 100, 0
    builder = ChapterBuilder(run)
    for judgement in facts.of(result, *_TOLD):
        text = "\n".join(_requirement(judgement, builder))
        if size + (wide := _size([text])) > room:
            left += 1
            continue
        size += wide
        parts.append(text)
    if left:
        parts.append(f"\nAnd {left} more, {_SEE}")
    return "\n".join((*parts, *silent)) + "\n"


def _size(lines: Iterable[str]) -> int:
    """Bytes of lines with their ends."""
    return sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)


def _head(result: Result, run: Run) -> Iterator[str]:
    mark = {Outcome.READY: "✅", Outcome.NOT_READY: "❌"}.get(result.outcome, "⚪")
    yield f"## {mark} {facts.BANNERS[result.outcome]}: {escape(facts.name_of(result))}"
    yield ""
    yield escape(values.cut(facts.sentence(result), 2_000))
    reasons = {Outcome.NOT_READY: result.reasons, Outcome.NOT_SCORED: result.diagnosis[1:]}.get(result.outcome, ())
    if reasons:
        yield ""
        yield from map(_reason, reasons[:20])
    if len(reasons) > 20:
        yield f"- and {len(reasons) - 20} more"
    yield ""
    yield f"{facts.tally(result.judgements)}  "
    yield " · ".join(f"{label} {escape(value)}" for label, value in facts.heading(result, run))
    if missing := facts.unjudged(result):
        yield f"\n{len(missing)} of {len(result.scope)} requirements were not part of this run."
    if result.stale_baseline:
        yield f"\nStale baseline entries: {escape(', '.join(result.stale_baseline))}"
    yield from (f"\n{escape(sentence)}" for sentence in result.expiring)
    yield ""


def _reason(text: str) -> str:
    """A line of the list; what the integration wrote stands below it as it is, its end in any case."""
    sentence, _, lines = text.partition("\n")
    block = textwrap.indent(fence("\n".join(lines.splitlines()[-_LINES:])), "  ")
    return f"- {escape(values.cut(sentence, _TITLE))}" + (f"\n\n{block}" if lines else "")


def _replayed(run: Run) -> Iterator[str]:
    found = replay.replay(run)
    if found is None:
        return
    yield f"### {'⚠️' if found.number or found.warning else '📼'} {escape(found.title)}"
    yield ""
    yield escape(f"{found.about} {found.warning}".strip())
    yield ""
    yield from (f"- {escape(values.cut(group.line, _TITLE))}" for group in found.groups[: replay.SHOWN])
    if len(found.groups) > replay.SHOWN:
        yield f"- and {len(found.groups) - replay.SHOWN} more sorts"
    yield ""


def _table(result: Result) -> Iterator[str]:
    rows = facts.golive(result)
    if not rows:
        return
    yield "| | | go-live checklist | passed | |"
    yield "|---|---|---|---|---|"
    for row in rows:
        cause = escape(values.cut(row.cause, 160))
        yield f"| {_MARKS[row.verdict]} | {row.number} | {escape(row.title)} | {row.passed} | {cause} |"
    yield ""


def _requirement(judgement: Judgement, builder: ChapterBuilder) -> Iterator[str]:
    accepted = f" (accepted for now: {escape(judgement.baseline)})" if judgement.baseline else ""
    yield f"### {_MARKS[judgement.verdict]} `{judgement.requirement}` · {judgement.level.value}{accepted}"
    yield ""
    yield escape(judgement.text)
    yield ""
    if judgement.contradiction:
        yield f"> Advice and gateway disagree: {escape(judgement.contradiction)}\n"
    findings = facts.notable(judgement)
    for finding in findings[:_FINDINGS]:
        yield from _finding(finding, builder)
    if len(findings) > _FINDINGS:
        yield f"And {len(findings) - _FINDINGS} more findings.\n"


def _finding(finding: Finding, builder: ChapterBuilder) -> Iterator[str]:
    yield f"**{escape(values.cut(facts.line(finding.title), _TITLE))}**"
    yield ""
    if finding.expected is not None or finding.actual is not None:
        yield f"- expected {code(values.one_line(finding.expected, _TITLE))}"
        yield f"- actual {code(values.one_line(finding.actual, _TITLE))}"
        yield ""
    if finding.evidence:
        pointers = html.escape(values.pointers(finding.evidence, limit=8))
        yield f"<details><summary>Evidence: <code>{pointers}</code></summary>\n"
        chapters, _ = builder.chapters(finding.evidence, whole=False)
        for chapter in chapters:
            for part in chapter.parts:
                if isinstance(part, Scene):
                    yield from _scene(part)
        yield "</details>\n"


def _scene(scene: Scene) -> Iterator[str]:
    note = f" ({escape(scene.note)})" if scene.note else ""
    yield f"`{scene.pointer}` at {scene.at:.3f} s, {scene.actor}: {escape(scene.title)}{note}\n"
    lines = [scene.text] if scene.text else []
    for message in scene.messages:
        lines.append(message.line)
        if message.body:
            lines.append(values.cut(message.body, _BODY))
    if lines:
        yield fence("\n".join(lines))
        yield ""


def _silent(result: Result) -> Iterator[str]:
    for verdict in (Verdict.NOT_EXERCISED, Verdict.ATTESTED):
        if found := facts.of(result, verdict):
            yield f"<details><summary>{len(found)} {facts.WORDS[verdict]}</summary>\n"
            yield from _reasons(found)
            yield "\n</details>\n"


def _reasons(judgements: Iterable[Judgement]) -> Iterator[str]:
    for why, names in reasons.by_reason(judgements).items():
        yield f"- {', '.join(f'`{name}`' for name in names)}: {escape(values.cut(why, _TITLE))}"


def escape(text: str) -> str:
    """``text`` on one line, nothing in it read as Markdown, HTML, a link, a mention or an issue's number."""
    quiet = _LINKING.sub(lambda match: f"{match.group()}\u2060", facts.line(text))
    return _MARKUP.sub(
        lambda match: html.escape(match.group()) if match.group() in "<>&" else rf"\{match.group()}", quiet
    )


def code(text: str) -> str:
    """A code span that no backtick in ``text`` ends."""
    ticks = "`" * (_longest(text) + 1)
    return f"{ticks} {facts.line(text)} {ticks}" if "`" in text else f"{ticks}{facts.line(text) or ' '}{ticks}"


def fence(text: str) -> str:
    """A code block that no line of ``text`` ends."""
    ticks = "`" * max(3, _longest(text) + 1)
    return f"{ticks}text\n{facts.clean(text)}\n{ticks}"


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
