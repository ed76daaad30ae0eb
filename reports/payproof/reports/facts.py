"""What every report says, worded once: counts, causes, the outcome's sentence, the head of the page."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from payproof.contracts.model import Finding, ItemResult, Json, Judgement, Level, Outcome, Result, Verdict
from payproof.contracts.run import Run

WORDS: Mapping[Verdict, str] = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.WARN: "warned",
    Verdict.NOT_EXERCISED: "not exercised",
    Verdict.NOT_APPLICABLE: "not applicable",
    Verdict.ATTESTED: "attested",
    Verdict.ERROR: "could not be judged",
}
"""In the order in which counts are shown."""

MARKS: Mapping[Verdict, str] = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.WARN: "!",
    Verdict.NOT_EXERCISED: "○",
    Verdict.NOT_APPLICABLE: "–",
    Verdict.ATTESTED: "◆",
    Verdict.ERROR: "✗",
}

BANNERS: Mapping[Outcome, str] = {
    Outcome.READY: "READY",
    Outcome.NOT_READY: "NOT READY",
    Outcome.NOT_SCORED: "NOT SCORED",
    Outcome.PARTIAL: "PARTIAL",
}

_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.WARN,
    Verdict.NOT_EXERCISED,
    Verdict.ATTESTED,
    Verdict.NOT_APPLICABLE,
    Verdict.PASS,
)

_JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.ERROR)

CAVEATS = 3
"""Caveats that one sentence can bear; the report has all."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """``text`` without what no report may carry: control characters, direction overrides, lone surrogates."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def json_file(value: Any) -> str:
    """``value`` as a file of JSON. What a terminal would obey that shows it stands there as an escape: nothing is lost."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def line(text: str) -> str:
    """``text`` on one line."""
    return " ".join(clean(text).split())


def counts(judgements: Iterable[Judgement]) -> dict[Verdict, int]:
    """Requirements by verdict, every verdict named."""
    found = Counter(judgement.verdict for judgement in judgements)
    return {verdict: found[verdict] for verdict in WORDS}


def tally(judgements: Iterable[Judgement]) -> str:
    """``61 passed, 2 failed, 1 not exercised``: what is zero is left out, except what passed."""
    numbers = counts(judgements)
    return ", ".join(f"{n} {WORDS[verdict]}" for verdict, n in numbers.items() if n or verdict is Verdict.PASS)


def severity(verdict: Verdict) -> int:
    """0 is the worst."""
    return _WORST_FIRST.index(verdict)


def lead(judgement: Judgement) -> Finding | None:
    """The finding that decides: the first with the judgement's own verdict, else the first of the worst."""
    own = (finding for finding in judgement.findings if finding.verdict is judgement.verdict)
    return next(own, min(judgement.findings, key=lambda finding: severity(finding.verdict), default=None))


def notable(judgement: Judgement) -> tuple[Finding, ...]:
    """The findings worth reading: those that did not pass, the worst first; all of them when all passed."""
    ordered = sorted(judgement.findings, key=lambda finding: severity(finding.verdict))
    return tuple(finding for finding in ordered if finding.verdict is not Verdict.PASS) or tuple(ordered)


def reason(judgement: Judgement) -> str:
    """One line: why the verdict is what it is."""
    if judgement.verdict is Verdict.ATTESTED and (vouched := judgement.attestation):
        note = f": {vouched.note}" if vouched.note else ""
        return line(f"vouched for by {vouched.by} on {vouched.on}, until {vouched.until}{note}")
    finding = lead(judgement)
    if finding is None:
        return ""
    return line(f"{finding.title} (mend {finding.because} first)" if finding.because else finding.title)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A checklist item as a line of a table. ``worst``: why it is what it is, musts first; empty when all is well."""

    number: str
    title: str
    verdict: Verdict
    """As it is shown: nothing is green in a run that was not scored."""
    item: ItemResult
    judgements: tuple[Judgement, ...]
    worst: tuple[Judgement, ...]

    @property
    def cause(self) -> str:
        """One line: the worst requirement with its reason."""
        more = f" (and {len(self.worst) - 1} more)" if len(self.worst) > 1 else ""
        return f"{self.worst[0].requirement}{more}: {why(self.worst[0])}" if self.worst else ""

    @property
    def passed(self) -> str:
        """``2 of 3``: what passed, of what was judged; empty where nothing was."""
        judged = [judgement for judgement in self.judgements if judgement.verdict in _JUDGED]
        good = sum(judgement.verdict is Verdict.PASS for judgement in judged)
        return f"{good} of {len(judged)}" if judged else ""

    @property
    def besides(self) -> str:
        """``1 not exercised``: what nobody judged, besides what does not apply."""
        numbers = counts(self.judgements)
        apart = (Verdict.NOT_EXERCISED, Verdict.ATTESTED)
        return ", ".join(f"{numbers[verdict]} {WORDS[verdict]}" for verdict in apart if numbers[verdict])


def why(judgement: Judgement) -> str:
    """The reason of a judgement, or at least its verdict."""
    text = reason(judgement) or WORDS[judgement.verdict]
    return f"{text} (accepted for now)" if judgement.baseline else text


def rows(result: Result, items: Iterable[ItemResult]) -> tuple[ItemRow, ...]:
    """The items numbered as published, each with its judgements."""
    known = result.by_id
    found: list[ItemRow] = []
    for item in items:
        number, _, title = item.title.partition(" ")
        judgements = tuple(known[name] for name in item.requirements if name in known)
        found.append(ItemRow(number, title, _shown(result, item.verdict), item, judgements, _worst(result, judgements)))
    return tuple(found)


def _shown(result: Result, verdict: Verdict) -> Verdict:
    hollow = result.outcome is Outcome.NOT_SCORED and verdict is Verdict.PASS
    return Verdict.NOT_EXERCISED if hollow else verdict


def _worst(result: Result, judgements: tuple[Judgement, ...]) -> tuple[Judgement, ...]:
    grade = min((severity(found.verdict) for found in judgements), default=severity(Verdict.PASS))
    # When control failed, one diagnosis explains whatever was not exercised.
    mildest = Verdict.NOT_EXERCISED if result.outcome is Outcome.NOT_SCORED else Verdict.NOT_APPLICABLE
    if grade >= severity(mildest):
        return ()
    worst = (found for found in judgements if severity(found.verdict) == grade)
    return tuple(sorted(worst, key=lambda found: found.level))


def golive(result: Result) -> tuple[ItemRow, ...]:
    return rows(result, result.golive)


def guidelines(result: Result) -> tuple[ItemRow, ...]:
    return rows(result, result.guidelines)


def of(result: Result, *verdicts: Verdict) -> tuple[Judgement, ...]:
    """The judgements with one of these verdicts, in the checklist's order."""
    return tuple(judgement for judgement in result.judgements if judgement.verdict in verdicts)


def unjudged(result: Result) -> tuple[str, ...]:
    """Requirements of a whole run that this one has no word about."""
    known = result.by_id
    return tuple(name for name in result.scope if name not in known)


def sentence(result: Result) -> str:
    """The answer to "can this integration go live?", without the banner word, and what was not judged for want of a
    declaration."""
    answer = _answer(result)
    if not result.caveats:
        return answer
    more = f"; and {len(result.caveats) - CAVEATS} more" if len(result.caveats) > CAVEATS else ""
    return f"{answer} Not judged: {line('; '.join(result.caveats[:CAVEATS]))}{more}."


def _answer(result: Result) -> str:
    match result.outcome:
        case Outcome.READY:
            later = [
                f.requirement for f in result.judgements if f.level is Level.MUST and f.verdict is Verdict.NOT_EXERCISED
            ]
            whole = (
                "every must-requirement that was judged holds." if result.caveats else "every must-requirement holds."
            )
            return whole + (f" Not judged in this version: {', '.join(later)}." if later else "")
        case Outcome.PARTIAL:
            whole = f"{_judged(result)} of {len(result.scope)} requirements"
            return f"{whole} judged, none failed; no word about going live."
        case Outcome.NOT_SCORED:
            return line(" ".join(result.diagnosis[:1])) or "the control payment did not end in a paid order."
        case _:
            return _shortfall(result)


def _shortfall(result: Result) -> str:
    broken = sum(f.verdict is Verdict.FAIL and f.level is Level.MUST and not f.baseline for f in result.judgements)
    unclear = sum(found.verdict is Verdict.ERROR for found in result.judgements)
    stale = len(result.stale_baseline)
    open_ = max(len(result.reasons) - broken - unclear - stale, 0)  # a reason each: what remains was not exercised
    parts = (
        f"{broken} must-requirement{'' if broken == 1 else 's'} failed" if broken else "",
        f"{unclear} could not be judged" if unclear else "",
        f"{open_} {'was' if open_ == 1 else 'were'} not exercised" if open_ else "",
        f"{stale} baseline entr{'y is' if stale == 1 else 'ies are'} stale" if stale else "",
    )
    return f"{', '.join(part for part in parts if part) or 'a must-requirement does not hold'}."


def _judged(result: Result) -> int:
    return sum(found.verdict is not Verdict.NOT_EXERCISED for found in result.judgements)


def fact(result: Result, name: str, default: str = "") -> str:
    """A fact of the run as text."""
    value = result.facts.get(name)
    return default if value is None else line(str(value))


def seconds(value: Json) -> str:
    """``41.2 s``, or ``2 min 05 s``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:.1f} s" if value < 60 else f"{int(value) // 60} min {int(value) % 60:02d} s"


def moment(text: str) -> str:
    """An ISO 8601 time as people write it: ``2026-11-28 18:04 UTC``; what is none stays as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at.tzinfo else text


def heading(result: Result, run: Run) -> tuple[tuple[str, str], ...]:
    """(label, value) of the run: gateway, target, seed, duration, start, what was asked of whom. What is unknown is left out."""
    gateway = f"{run.gateway} {fact(result, 'profile_version')}".strip()
    pairs = (
        ("gateway", gateway),
        ("target", fact(result, "target")),
        ("seed", fact(result, "seed")),
        ("duration", seconds(result.facts.get("seconds"))),
        ("started", moment(fact(result, "started"))),
        ("account", fact(result, "account")),
    )
    return tuple((label, value) for label, value in pairs if value)


def name_of(result: Result) -> str:
    return fact(result, "name", "integration")


def groups(result: Result) -> tuple[tuple[ItemRow | None, tuple[Judgement, ...]], ...]:
    """Each judgement once, under the first item that holds it; None stands for no item."""
    left = result.by_id
    found: list[tuple[ItemRow | None, tuple[Judgement, ...]]] = []
    for row in (*guidelines(result), *golive(result)):
        judgements = tuple(left.pop(name) for name in row.item.requirements if name in left)
        if judgements:
            found.append((row, judgements))
    return (*found, (None, tuple(left.values()))) if left else tuple(found)
