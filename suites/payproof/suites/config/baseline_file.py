"""payproof-baseline.toml, beside payproof.toml: the failures that a team accepts for now. `payproof run --write-baseline` writes
its entries, and people complete them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from payproof.contracts import files
from payproof.contracts.model import Level, PayproofError, Result, Verdict
from payproof.suites.config.models import Baseline
from payproof.suites.config.problems import ConfigProblem, ConfigSource, from_validation, line_of, report
from payproof.suites.config.rules import known_name
from payproof.suites.config.toml_file import parse, read
from payproof.suites.config.writing import toml

NAME = "payproof-baseline.toml"
FOR_NOW = timedelta(days=30)
"""How long a new entry holds unless somebody writes another date."""
_HEAD = """\
# Failures that the team accepts for now: they do not keep the run from being ready, and are shown with owner and date.
# Each entry needs a reason and an owner. An entry whose requirement passes, or whose date is past, fails the run."""


class Draft(BaseModel):
    """An entry that somebody may still have to complete."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    reason: str = ""
    owner: str = ""
    until: date

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(key for key, text in (("reason", self.reason), ("owner", self.owner)) if not text.strip())


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    baseline: tuple[Draft, ...] = ()


def with_file(
    own: tuple[Baseline, ...], folder: Path, known: Collection[str], *, drafts: bool = False
) -> tuple[Baseline, ...]:
    """The configuration's own entries and those of the file in its folder.

    Args:
        known: the gateway's requirements.
        drafts: an entry without reason or owner accepts nothing; else it is an error.

    Raises:
        PayproofError: the file cannot be used, or a requirement has two entries.
    """
    text = _text(folder)
    found = _drafts(text, known)
    if not drafts and (problems := list(_unfinished(found))):
        raise report(problems, ConfigSource(NAME, text))
    entries = (*own, *_completed(found, text))
    seen: dict[str, Baseline] = {}
    for entry in entries:
        if (first := seen.setdefault(entry.check, entry)) is not entry:
            raise PayproofError(
                f"{entry.check} has two baseline entries",
                place=f"{first.place}; {entry.place}",
                remedy="keep one of them",
            )
    return entries


def placed(entries: Iterable[Baseline], place: str, text: str, under: tuple[str, ...] = ()) -> tuple[Baseline, ...]:
    """Entries that know on which line they stand."""
    lines = ((entry, line_of(text, (*under, "baseline", str(n)))) for n, entry in enumerate(entries))
    return tuple(entry.at(f"{place}, line {line}" if line else place) for entry, line in lines)


def rewritten(
    own: Iterable[Baseline], folder: Path, known: Collection[str], result: Result, today: date
) -> tuple[Draft, ...]:
    """Write the file anew: an entry for each must that fails, without those that a requirement needs no more. What was written
    by people stays. Returns what stands in it now.

    Raises:
        PayproofError: it cannot be read or written.
    """
    verdicts = {judgement.requirement: judgement.verdict for judgement in result.judgements}
    gone = {
        id for id, verdict in verdicts.items() if verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.ATTESTED)
    }
    kept = [draft for draft in _drafts(_text(folder), known) if draft.check not in gone]
    listed = {draft.check for draft in kept} | {entry.check for entry in own if not entry.place.startswith(NAME)}
    failing = [
        judgement.requirement
        for judgement in result.judgements
        if judgement.verdict is Verdict.FAIL and judgement.level is Level.MUST and judgement.requirement not in listed
    ]
    entries = (*kept, *(Draft(check=id, until=today + FOR_NOW) for id in failing))
    if entries or (folder / NAME).exists():
        files.write(folder / NAME, "\n\n".join((_HEAD, *map(_block, entries))) + "\n")
    return entries


def _text(folder: Path) -> str:
    file = folder / NAME
    return read(file) if file.exists() or file.is_symlink() else ""


def _drafts(text: str, known: Collection[str]) -> tuple[Draft, ...]:
    data = parse(text, Path(NAME))
    if strange := [
        ConfigProblem((key,), "unknown key", "an entry begins with [[baseline]]") for key in data if key != "baseline"
    ]:
        raise report(strange, ConfigSource(NAME, text))
    try:
        entries = _File.model_validate(data).baseline
    except ValidationError as error:
        raise report(from_validation(error, data), ConfigSource(NAME, text)) from None
    unknown = [
        problem
        for n, entry in enumerate(entries)
        for problem in known_name(("baseline", str(n), "check"), entry.check, known, "requirement")
    ]
    if unknown:
        raise report(unknown, ConfigSource(NAME, text))
    return entries


def _unfinished(drafts: Iterable[Draft]) -> Iterator[ConfigProblem]:
    for n, draft in enumerate(drafts):
        for key in draft.missing:
            yield ConfigProblem(
                ("baseline", str(n), key),
                f"{draft.check} is accepted without {'a reason' if key == 'reason' else 'an owner'}",
                "write why, and who answers for it" if key == "reason" else "write who answers for it",
            )


def _completed(drafts: tuple[Draft, ...], text: str) -> Iterator[Baseline]:
    for n, draft in enumerate(drafts):
        if not draft.missing:
            line = line_of(text, ("baseline", str(n)))
            yield Baseline.model_validate(draft.model_dump()).at(f"{NAME}, line {line}" if line else NAME)


def _block(draft: Draft) -> str:
    return (
        f"[[baseline]]\ncheck  = {toml(draft.check)}\nreason = {toml(draft.reason)}\n"
        f"owner  = {toml(draft.owner)}\nuntil  = {draft.until}"
    )
