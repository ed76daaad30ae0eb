"""The contract suite's items: one for each rule, all from one run on the server."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from payproof.contracts.model import PayproofError
from payproof.suites.pytest_plugin.requirement_items import RequirementBroken, as_text

if TYPE_CHECKING:
    from payproof.suites.conformance.contract import SuiteResult, Where

WORKS = "every_operation_was_seen_to_work"


class ContractFile(pytest.File):
    """Stands for ``contract_suite.py``. The first item that runs performs the run."""

    _run: SuiteResult | PayproofError | None = None

    @classmethod
    def beside(cls, parent: pytest.Collector, path: Path) -> ContractFile:
        maker: Any = cls
        made: ContractFile = maker.from_parent(parent, path=path)
        return made

    def collect(self) -> Iterable[pytest.Item]:
        from payproof.suites.conformance.contract import BUILT_IN, OWN

        maker: Any = RuleItem
        for name in (*OWN, *BUILT_IN, WORKS):
            made: pytest.Item = maker.from_parent(self, name=name)
            yield made

    def run(self) -> SuiteResult:
        """
        Raises:
            Broken: there is no run, and why.
        """
        if self._run is None:
            try:
                self._run = _performed(self.config)
            except PayproofError as error:
                self._run = error
        if isinstance(self._run, PayproofError):
            raise RequirementBroken(as_text(self._run))
        return self._run


def _performed(config: pytest.Config) -> SuiteResult:
    from payproof.suites.conformance.contract import perform

    with _server(config) as where:
        return perform(where, seed=config.getoption("payproof_seed"))


@contextlib.contextmanager
def _server(config: pytest.Config) -> Generator[Where]:
    from payproof.contracts import profile
    from payproof.suites.config import load_config
    from payproof.suites.conformance.contract import sandbox, simulated

    given: str | None = config.getoption("payproof_config")
    path = Path(given) if given else None
    if config.getoption("payproof_target") == "sandbox":
        if hasattr(config, "workerinput"):
            raise PayproofError("a sandbox is asked by one process only", place="pytest -n", remedy="run without -n")
        yield sandbox(load_config(path))
        return
    with simulated(profile.load(load_config(path).gateway if path else "quatapay")) as where:
        yield where


class RuleItem(pytest.Item):
    """One rule."""

    def runtest(self) -> None:
        from payproof.suites.conformance.contract.showing import failure_lines

        assert isinstance(self.parent, ContractFile)
        run = self.parent.run()
        if self.name in run.untried:
            pytest.skip(run.untried[self.name])
        found = [failure for failure in run.failures if failure.check == self.name]
        if found:
            raise RequirementBroken(
                "\n".join([line for failure in found for line in failure_lines(failure)] + [f"seed {run.seed}"])
            )
        unseen = run.unseen
        if self.name == WORKS and unseen:
            raise RequirementBroken(f"never seen to work: {', '.join(unseen)}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        return (
            str(excinfo.value) if isinstance(excinfo.value, RequirementBroken) else str(super().repr_failure(excinfo))
        )

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name
