"""The shipped suite's items: one for each requirement, all judged from one run of payproof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.former_ids import former
from payproof.contracts.judging.requirements import Requirement
from payproof.contracts.model import Finding, Judgement, Level, PayproofError, Verdict
from payproof.suites.pytest_plugin.shared_run import SharedResult, SharedRun, given

NEEDED = "give the integration: pytest --payproof-config payproof.toml --pyargs payproof.suites"


class RequirementBroken(Exception):
    """A requirement that does not hold, in words for people; shown without a trace."""


def markers(config: pytest.Config) -> Iterator[str]:
    """A marker for each level and each group of requirements."""
    yield f"{Level.MUST}: payproof: a requirement whose failure fails the run"
    yield f"{Level.SHOULD}: payproof: a requirement whose failure warns"
    for group in dict.fromkeys(each.split(".")[0] for each in _scope(config)):
        for name in (group, *former(group)):
            yield f"{name}: payproof: the requirements {group}.*"


def _scope(config: pytest.Config) -> Mapping[str, Requirement]:
    from payproof.contracts.judging.requirements import requirements_of

    try:
        return requirements_of(given(config).configuration.profile)
    except PayproofError as error:
        raise pytest.UsageError(as_text(error)) from None


def as_text(error: PayproofError) -> str:
    """An error of payproof as one text."""
    parts = [f"payproof: {error.message}", f"  at: {error.place}", f"  do: {error.remedy}"]
    return "\n".join(part for part in parts if not part.endswith(": "))


class RequirementsFile(pytest.File):
    """Stands for ``test_requirements.py``. ``folder``: what all processes of this test run share, if configured."""

    def __init__(self, *, folder: Path | None, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.folder = folder

    @classmethod
    def beside(cls, parent: pytest.Collector, path: Path, folder: Path | None) -> RequirementsFile:
        maker: Any = cls
        made: RequirementsFile = maker.from_parent(parent, path=path, folder=folder)
        return made

    def collect(self) -> Iterable[pytest.Item]:
        if self.folder is None:
            yield _item(Unconfigured, self, name="requirements")
            return
        shared = SharedRun(self.config, self.folder)
        for name, requirement in _scope(self.config).items():
            yield _item(RequirementItem, self, name=name, level=requirement.level, shared=shared)


def _item(kind: type[pytest.Item], parent: pytest.Collector, **facts: Any) -> pytest.Item:
    maker: Any = kind
    made: pytest.Item = maker.from_parent(parent, **facts)
    return made


class Unconfigured(pytest.Item):
    """Says what is missing."""

    def runtest(self) -> None:
        pytest.skip(NEEDED)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class RequirementItem(pytest.Item):
    """One requirement. The first that runs performs the run, for all that are selected."""

    def __init__(self, *, level: Level, shared: SharedRun, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.shared, self.level = shared, level
        self.add_marker(str(level))
        group = self.name.split(".")[0]
        for name in (group, *former(group)):
            self.add_marker(name)
        self.extra_keyword_matches.update(former(self.name))

    def runtest(self) -> None:
        selected = [item.name for item in self.session.items if isinstance(item, RequirementItem)]
        try:
            run = self.shared.result_for(selected)
        except PayproofError as error:
            raise RequirementBroken(as_text(error)) from None
        judgement = run.by_id.get(self.name)
        if judgement is None:
            raise RequirementBroken(f"{self.name}: the run says nothing of it")
        self.user_properties.append(("payproof_verdict", str(judgement.verdict)))
        if text := verdict_text(judgement, run):
            self.add_report_section("call", "payproof", text)
            self.user_properties.append(("payproof", text))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, RequirementBroken):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.name} ({self.level})"


def verdict_text(judgement: Judgement, run: SharedResult) -> str:
    """What is to be said of a requirement that holds; nothing when there is nothing.

    Raises:
        Broken: it keeps the integration from going live, or nothing could be scored.
        pytest.skip.Exception: it was not judged.
        pytest.xfail.Exception: it fails, and the team accepts that for now.
    """
    name = judgement.requirement
    if not run.scored and judgement.verdict not in (Verdict.FAIL, Verdict.ERROR):
        raise RequirementBroken("\n".join([f"{name}: not scored", *(f"  {line}" for line in run.result.diagnosis)]))
    if name in run.blocking:
        raise RequirementBroken(_full(judgement, run.stale))
    if judgement.baseline:
        pytest.xfail(f"{name}: accepted for now: {judgement.baseline}")
    if judgement.verdict is Verdict.ATTESTED and judgement.attestation:
        pytest.skip(f"{name}: attested by {judgement.attestation.by}, until {judgement.attestation.until}")
    if judgement.verdict in (Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE):
        word = str(judgement.verdict).replace("_", " ")
        pytest.skip(f"{name}: {word}: {_lead(judgement).title}")
    return "" if judgement.verdict is Verdict.PASS else _full(judgement)


def _lead(judgement: Judgement) -> Finding:
    """The finding that made the verdict."""
    fitting = (finding for finding in judgement.findings if finding.verdict is judgement.verdict)
    return next(fitting, judgement.findings[0])


def _full(judgement: Judgement, stale: frozenset[str] = frozenset()) -> str:
    lines = [f"{judgement.requirement}: {judgement.text}"]
    if judgement.requirement in stale:
        lines.append("  the baseline entry is stale: it is past its date, or the check no longer fails")
    for finding in judgement.findings:
        if finding.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            continue
        lines.append(f"  {finding.title}")
        if finding.expected is not None or finding.actual is not None:
            lines += [f"    expected  {finding.expected}", f"    actual    {finding.actual}"]
        if finding.evidence:
            lines.append(f"    evidence  {' '.join(map(str, finding.evidence))}")
        if finding.because:
            lines.append(f"    because   {finding.because}")
    if judgement.contradiction:
        lines.append(f"  {judgement.contradiction}")
    lines.append(f"  more: payproof explain {judgement.requirement}")
    return "\n".join(lines)


def summary(folder: Path) -> list[str]:
    """What the run as a whole said, for the end of the test report."""
    file = folder / SharedRun.SUMMARY
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
