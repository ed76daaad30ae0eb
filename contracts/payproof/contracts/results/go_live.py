"""The decision whether an integration may go live, from reports: what is missing, and what would bring it.

Pure: what is demanded, the time included, is handed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from payproof.contracts.model import Judgement, Level, Outcome, Result, Verdict

_SKEW = timedelta(minutes=5)
"""How far two machines' clocks may be apart."""
_CHECK = "payproof check {folder}/run.jsonl --config payproof.toml --report-dir {folder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One report."""

    folder: str
    """Where it lies, as the user named it."""
    result: Result
    disagreements: tuple[str, ...] = ()
    """Where its run is judged otherwise by this version."""

    @property
    def target(self) -> str:
        return str(self.result.facts.get("target", "simulator"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What evidence must be, beyond passing."""

    now: datetime
    max_age: timedelta
    commit: str = ""
    """A commit's id or its beginning; empty: any."""
    sandbox: bool = False
    musts: tuple[str, ...] = ()
    """Every must of this version's checklist."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing, and the command that would bring it."""

    what: str
    command: str


_NO_SANDBOX = Missing(
    "there is no run against the sandbox", "payproof run --target sandbox --report-dir payproof-report-sandbox"
)


def decide(evidence: Sequence[Evidence], demands: Demands) -> tuple[Missing, ...]:
    """What is missing before going live; empty: nothing. Each demand is met by one report as a whole, never by parts of several."""
    found = _least(_lacks(each, demands) for each in evidence)
    if demands.sandbox:
        real = [each for each in evidence if each.target == "sandbox"]
        found += _least(_lacks(each, demands, sandbox=True) for each in real) if real else (_NO_SANDBOX,)
    return tuple(dict.fromkeys(found))


def _least(lists: Iterable[tuple[Missing, ...]]) -> tuple[Missing, ...]:
    return min(lists, key=len, default=())


def _lacks(evidence: Evidence, demands: Demands, *, sandbox: bool = False) -> tuple[Missing, ...]:
    """What keeps this report from being enough. ``sandbox``: a run to which the sandbox gave all the powers that it has is enough."""
    result, again = evidence.result, _run(evidence)
    if result.outcome is Outcome.NOT_SCORED:
        why = result.diagnosis[0].splitlines()[0] if result.diagnosis else "the control payment was not paid"
        return (Missing(f"nothing was scored in {evidence.folder}: {why}", again),)
    # A run of another commit, or of long ago, has to be made again: the next one says what failed in it.
    if old := tuple(Missing(f"{evidence.folder} {what}", again) for what in _unfit(result, demands)):
        return old
    if what := _shortened(result, powers=sandbox):
        return (Missing(f"{evidence.folder} is a shortened run ({what}), which says nothing of going live", again),)
    recheck = _CHECK.format(folder=evidence.folder)
    return (
        *_in_the_way(evidence, again),
        *_ended(result, demands, recheck),
        *(Missing(f"{evidence.folder}: {each}", recheck) for each in evidence.disagreements),
        *_unknown(result, demands, recheck),
    )


def _run(evidence: Evidence) -> str:
    words = ["payproof run"]
    if evidence.target != "simulator":
        words.append(f"--target {evidence.target}")
    if evidence.folder != "payproof-report":
        words.append(f"--report-dir {evidence.folder}")
    return " ".join(words)


def _unfit(result: Result, demands: Demands) -> Iterator[str]:
    """What of the run itself is not as demanded."""
    commit, facts = str(result.facts.get("commit", "")), result.facts
    if demands.commit and not commit:
        yield "does not say which commit was tested (it was made outside a git work tree, or by an older payproof)"
    elif demands.commit and not commit.startswith(demands.commit):
        yield f"tested commit {commit[:12]}, not {demands.commit[:12]}"
    elif demands.commit and facts.get("dirty") is not False:
        yield f"tested commit {commit[:12]} with changes that are not committed"
    try:
        started = datetime.fromisoformat(str(facts.get("started")))
    except ValueError:
        yield "does not say when it was made"
        return
    age = demands.now - (started if started.tzinfo else started.replace(tzinfo=UTC))
    if age < -_SKEW:
        yield f"was made in the future ({started:%Y-%m-%d %H:%M}): a clock is wrong"
    elif age > demands.max_age:
        yield f"was made on {started:%Y-%m-%d %H:%M}, more than {demands.max_age.days} days ago"


def _shortened(result: Result, *, powers: bool) -> str:
    """How a run was shortened; empty: it was not. ``powers``: what the target cannot do does not count."""
    judged = {judgement.requirement for judgement in result.judgements}
    if missing := sum(id not in judged for id in result.scope):
        return f"{len(result.scope) - missing} of {len(result.scope)} requirements"
    if result.facts.get("quick"):
        return "--quick"
    if result.outcome is Outcome.PARTIAL and not powers:
        return f"the {result.facts.get('target', 'target')} cannot do all that the probes need"
    return ""


def _in_the_way(evidence: Evidence, again: str) -> Iterator[Missing]:
    reasons: Mapping[str, str] = {id: why for id, _, why in (each.partition(": ") for each in evidence.result.reasons)}
    listed: set[str] = set()
    for judgement in evidence.result.judgements:
        id = judgement.requirement
        if id in reasons or _blocks(judgement):
            listed.add(id)
            yield _one(judgement, reasons.get(id, ""), again)
    for id, why in reasons.items():
        if id not in listed:
            yield Missing(f"{id}: {why}", again)


def _blocks(judgement: Judgement) -> bool:
    """Whatever the report's reasons say: a must that fails and is not accepted, or a check that broke."""
    must = judgement.level is Level.MUST and not judgement.baseline
    return judgement.verdict is Verdict.ERROR or (must and judgement.verdict is Verdict.FAIL)


def _one(judgement: Judgement, why: str, again: str) -> Missing:
    id = judgement.requirement
    why = why or next((f.title for f in judgement.findings if f.verdict is judgement.verdict), "")
    if judgement.verdict is Verdict.FAIL:
        return Missing(f"{id} failed: {why}", f"payproof explain {id}")
    if judgement.verdict is Verdict.NOT_EXERCISED:
        declare = next((finding.declare for finding in judgement.findings if finding.declare), "")
        first = f"declare {declare} in payproof.toml, then " if declare else ""
        return Missing(f"{id} was not exercised: {why}", f"{first}{again}")
    if judgement.verdict is Verdict.ERROR:
        return Missing(f"{id} could not be judged: {why}", again)
    return Missing(f"{id}: {why}", again)


def _ended(result: Result, demands: Demands, recheck: str) -> Iterator[Missing]:
    """What held when the run was judged, and holds no more."""
    today = str(demands.now.date())
    for judgement in result.judgements:
        id, vouched = judgement.requirement, judgement.attestation
        if vouched is not None and vouched.until < today:
            yield Missing(
                f"{id}: the attestation of {vouched.by} ended on {vouched.until}",
                f"look again and write a new date in payproof.toml, then {recheck}",
            )
        if judgement.baseline and judgement.accepted_until < today:
            until = f"ended on {judgement.accepted_until}" if judgement.accepted_until else "has no date in this report"
            yield Missing(f"{id} failed, and its acceptance {until}", f"payproof explain {id}")


def _unknown(result: Result, demands: Demands, recheck: str) -> Iterator[Missing]:
    judged = {judgement.requirement for judgement in result.judgements}
    if lost := [id for id in demands.musts if id not in judged]:
        yield Missing(f"this version of payproof asks for {', '.join(lost)}, which the report does not know", recheck)
