"""The HTML report: one self-contained page. Everything that comes from a journal is escaped by the template engine."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from payproof.contracts import __version__
from payproof.contracts.model import Finding, Judgement, Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import facts, reasons, replay, timeline
from payproof.reports.behaviour import seconds
from payproof.reports.measured import measured
from payproof.reports.registry import writer
from payproof.reports.story import Chapter, Teller, anchor
from payproof.reports.values import Pair, pointers, side_by_side

SHOWN, FOLDED = 3, 20
"""Findings of one requirement that are shown at once, and folded away; the JSON report has all."""

_PLACEHOLDER = re.compile(r"(<(?:[a-z]+(?:-[a-z]+)*-\d+|access-token|client-id|secret-key)(?::[a-z0-9:]+)?>)")
_OPEN = (Verdict.FAIL, Verdict.ERROR)
_TOLD = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.NOT_EXERCISED)


@dataclass(frozen=True, slots=True)
class Proof:
    """A finding made ready for the page."""

    finding: Finding
    pairs: tuple[Pair, ...]
    chapters: tuple[Chapter, ...]
    lost: int
    pointers: str


@dataclass(frozen=True, slots=True)
class Card:
    """A requirement made ready for the page."""

    judgement: Judgement
    proofs: tuple[Proof, ...]
    folded: tuple[Proof, ...]
    more: int
    reason: str
    opened: bool
    waiting: tuple[str, ...]
    """Requirements that could not be judged because of this one."""


@dataclass(frozen=True, slots=True)
class RequirementGroup:
    """The cards of one checklist item."""

    number: str
    title: str
    cards: tuple[Card, ...]


@writer("html", "report.html", usual=True)
def render(result: Result, run: Run) -> str:
    """One page without outside assets; readable, and complete, without its script."""
    environment = _environment()
    script = environment.get_template("filter.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    teller, found = Teller(run), measured(result, run)
    groups = _groups(result, teller)
    return environment.get_template("report.html.j2").render(
        result=result,
        words=facts.WORDS,
        marks=facts.MARKS if result.outcome is not Outcome.NOT_SCORED else {**facts.MARKS, Verdict.PASS: "·"},
        why=facts.why,
        name=facts.name_of(result),
        heading=facts.heading(result, run),
        digests=[(key, str(value)) for key, value in result.facts.items() if str(value).startswith("sha256:")],
        banner=facts.BANNERS[result.outcome],
        sentence=facts.sentence(result),
        reasons=[_linked(reason, facts.by_id(result)) for reason in result.reasons],
        counts=facts.counts(result.judgements),
        golive=facts.golive(result),
        guidelines=facts.guidelines(result),
        groups=groups,
        measured=found,
        verdicts=Verdict,
        behind=teller.entries(found.pointers),
        unjudged=facts.unjudged(result),
        left_out=run.left_out,
        replay=replay.replay(run),
        replay_shown=replay.SHOWN,
        script=Markup(script),
        script_digest=digest,
        version=__version__,
    )


def _linked(reason: str, known: Container[str]) -> tuple[str, str]:
    """(requirement, the rest) of a reason that begins with one; else (empty, all of it)."""
    requirement, _, told = reason.partition(": ")
    return (requirement, told) if requirement in known else ("", reason)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("payproof.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"veiled": _veiled, "clean": facts.clean, "at": lambda at: f"{at:.3f} s"}
    environment.filters |= {"coded": _coded, "anchor": anchor, "seconds": seconds, "title_of": timeline.title}
    return environment


def _veiled(text: str) -> Markup:
    """``text`` escaped, its placeholders for secrets marked as such."""
    parts = _PLACEHOLDER.split(facts.clean(text))
    return Markup("").join(
        Markup('<span class="secret">{}</span>').format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def _coded(text: str) -> Markup:
    """``text`` escaped, with what stands between backticks as code."""
    parts = facts.clean(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _groups(result: Result, teller: Teller) -> Sequence[RequirementGroup]:
    waiting = reasons.waiting(result)
    return [
        RequirementGroup(
            row.number if row else "",
            row.title if row else "Other requirements",
            tuple(_card(judgement, teller, waiting.get(judgement.requirement, ())) for judgement in judgements),
        )
        for row, judgements in facts.groups(result)
    ]


def _card(judgement: Judgement, teller: Teller, waiting: tuple[str, ...]) -> Card:
    told = facts.probe_run(judgement)
    proofs = tuple(_proof(finding, teller) for finding in told[: SHOWN + FOLDED])
    return Card(
        judgement=judgement,
        proofs=proofs[:SHOWN],
        folded=proofs[SHOWN:],
        more=len(told[SHOWN + FOLDED :]),
        reason=facts.reason(judgement),
        opened=judgement.verdict in _OPEN,
        waiting=waiting,
    )


def _proof(finding: Finding, teller: Teller) -> Proof:
    chapters, lost = teller.chapters(finding.evidence, whole=finding.verdict in _TOLD)
    return Proof(finding, side_by_side(finding), chapters, lost, pointers(finding.evidence, limit=8))
