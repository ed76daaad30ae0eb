"""The HTML report: one self-contained page. Everything that comes from a journal is escaped by the template engine."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Container
from functools import cache, lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from payproof.contracts import __version__
from payproof.contracts.model import Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import facts, replay, timeline
from payproof.reports.behaviour import seconds
from payproof.reports.cards import sections
from payproof.reports.chapters import ChapterBuilder, anchor
from payproof.reports.control import control
from payproof.reports.measured import measured
from payproof.reports.registry import writer
from payproof.reports.since import Since

_PLACEHOLDER = re.compile(r"(<(?:[a-z]+(?:-[a-z]+)*-\d+|access-token|client-id|secret-key)(?::[a-z0-9:]+)?>)")
_SCRIPTS = ("unfold.js", "filter.js", "copy.js")


@writer("html", "report.html", usual=True)
def render(result: Result, run: Run) -> str:
    """One page without outside assets; readable, and complete, without its script."""
    return page(result, run)


def page(result: Result, run: Run, before: Since | None = None) -> str:
    """The page, with what changed since the last run where that is known."""
    environment = _environment()
    script = "".join(environment.get_template(name).render() for name in _SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    builder, found = ChapterBuilder(run), measured(result, run)
    failed = control(result, run, builder)
    cards = sections(result, run, builder)
    return environment.get_template("report.html.j2").render(
        result=result,
        words=facts.WORDS,
        marks=facts.MARKS if result.outcome is not Outcome.NOT_SCORED else {**facts.MARKS, Verdict.PASS: "·"},
        name=facts.name_of(result),
        heading=facts.heading(result, run),
        seed=facts.fact(result, "seed"),
        digests=[(key, str(value)) for key, value in result.facts.items() if str(value).startswith("sha256:")],
        banner=facts.BANNERS[result.outcome],
        sentence=facts.sentence(result),
        reasons=[_linked(reason, result.by_id) for reason in result.reasons],
        since=before,
        control=failed,
        counts=facts.counts(result.judgements),
        golive=facts.golive(result),
        guidelines=facts.guidelines(result),
        sections=cards,
        measured=found,
        verdicts=Verdict,
        behind=builder.entries(found.pointers),
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
    requirement, _, rest = reason.partition(": ")
    return (requirement, rest) if requirement in known else ("", reason)


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


@lru_cache(4096)
def _veiled(text: str) -> Markup:
    """``text`` escaped, its placeholders for secrets marked as such. It stands between tags, never in an attribute: there a quote
    means nothing, and a page of ten thousand exchanges has a great many."""
    parts = _PLACEHOLDER.split(facts.clean(text))
    return Markup("").join(
        Markup('<span class="secret">{}</span>').format(part) if number % 2 else Markup(html.escape(part, quote=False))
        for number, part in enumerate(parts)
    )


def _coded(text: str) -> Markup:
    """``text`` escaped, with what stands between backticks as code."""
    parts = facts.clean(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )
