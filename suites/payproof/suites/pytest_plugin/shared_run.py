"""One run for a whole test session, also when pytest-xdist spreads it over processes: a lock, a file."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.model import Judgement, Outcome, PayproofError, Result
from payproof.contracts.run import Run, dump, read
from payproof.simulator.target import TargetKind
from payproof.suites.commands import verdict
from payproof.suites.config import Config, load_config
from payproof.suites.session.progress import Plain, Progress, SilentProgress


@dataclass(frozen=True)
class Given:
    """The plugin's options."""

    path: Path
    target: TargetKind
    quick: bool
    seed: int | None
    report_dir: Path | None

    @cached_property
    def configuration(self) -> Config:
        """payproof.toml, read.

        Raises:
            PayproofError: it cannot be used.
        """
        return load_config(self.path)


def given(config: pytest.Config) -> Given:
    """What stands on pytest's command line."""
    option: Any = config.option
    base = config.invocation_params.dir
    return Given(
        path=base / option.payproof_config,
        target=option.payproof_target,
        quick=option.payproof_quick,
        seed=option.payproof_seed,
        report_dir=base / option.payproof_report_dir if option.payproof_report_dir else None,
    )


@dataclass(frozen=True)
class SharedResult:
    """A result, looked up by requirement."""

    result: Result

    @cached_property
    def by_id(self) -> Mapping[str, Judgement]:
        return self.result.by_id

    @cached_property
    def blocking(self) -> frozenset[str]:
        """Requirements that stand between the integration and going live; what --quick left out keeps nobody back."""
        reasons = self.result.reasons
        return frozenset(reason.partition(":")[0] for reason in reasons)

    @property
    def stale(self) -> frozenset[str]:
        return frozenset(self.result.stale_baseline)

    @property
    def scored(self) -> bool:
        return self.result.outcome is not Outcome.NOT_SCORED


class SharedRun:
    """The run of this test session. Whoever asks first performs it; the others wait and read."""

    RUN, ERROR, SUMMARY = "run.jsonl", "error.json", "summary.txt"

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self.config, self.given, self.folder = config, given(config), folder
        self._result: SharedResult | None = None

    def result_for(self, selected: Iterable[str]) -> SharedResult:
        """The result for these requirements.

        Raises:
            PayproofError: payproof could not run; the same for everybody who asks.
        """
        if self._result is None:
            from filelock import FileLock

            with FileLock(self.folder / "lock"):
                self._result = self._found() or self._made(tuple(selected))
        return self._result

    def _found(self) -> SharedResult | None:
        if (failed := self.folder / self.ERROR).exists():
            raise PayproofError(**json.loads(failed.read_text(encoding="utf-8")))
        file = self.folder / self.RUN
        return SharedResult(verdict.judged(read(file), self.given.configuration)) if file.exists() else None

    def _made(self, selected: tuple[str, ...]) -> SharedResult:
        try:
            run = self._perform(selected)
            result = verdict.judged(run, self.given.configuration)
            self._report(result, run)
        except PayproofError as error:
            known = {"message": error.message, "place": error.place, "remedy": error.remedy}
            (self.folder / self.ERROR).write_text(json.dumps(known), encoding="utf-8")
            raise
        (self.folder / self.RUN).write_text(dump(run), encoding="utf-8")
        return SharedResult(result)

    def _perform(self, selected: tuple[str, ...]) -> Run:
        from payproof.suites.commands.loop import run_async
        from payproof.suites.run.plan import Options, quick_seconds
        from payproof.suites.run.runner import perform

        whole = set(selected) >= set(self.given.configuration.profile.checklist.all_requirements())
        options = Options(
            only=() if whole else selected,
            quick=self.given.quick,
            seed=self.given.seed,
            target=self.given.target,
            seconds=quick_seconds(quick=self.given.quick, target=self.given.target),
        )
        with contextlib.closing(self._progress()) as progress:
            return run_async(perform(self.given.configuration, options, progress))

    def _progress(self) -> Progress:
        if hasattr(self.config, "workerinput") or self.config.get_verbosity() < 0:
            return SilentProgress()
        return Plain(_past(self.config))

    def _report(self, result: Result, run: Run) -> None:
        lines = [f"{str(result.outcome).replace('_', ' ')}; seed {result.facts.get('seed')}", *result.reasons]
        if folder := self.given.report_dir:
            from payproof.reports import write_all

            lines += [f"{name}: {path}" for name, path in write_all(result, run, folder).items()]
        (self.folder / self.SUMMARY).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _past(config: pytest.Config) -> Callable[[str], None]:
    """Writes past pytest's capture."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    begun = False

    def write(line: str) -> None:
        nonlocal begun
        text = line if begun else f"\n{line}"
        begun = True
        if capture is None:
            sys.stderr.write(f"{text}\n")
            return
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"{text}\n")

    return write
