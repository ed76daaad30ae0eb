"""The pytest plugin: options, markers, the shipped suite's items, the fixtures ``payproof_gateway``,
``payproof_session_gateway`` and ``payproof_https_gateway``.

It is loaded wherever payproof is installed, so nothing else of payproof is imported before it is asked for.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from payproof.simulator.testing import GatewayThread

SUITE = Path(__file__).parents[1] / "test_requirements.py"
CONTRACT = Path(__file__).parents[1] / "contract_suite.py"
_FOLDER = pytest.StashKey[Path]()
_WORKER = "payproof_folder"
"""Key by which a pytest-xdist worker is told the folder that all share."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("payproof", "payproof: prove a payment integration")
    group.addoption("--payproof-config", metavar="PATH", help="payproof.toml, or the folder that holds it.")
    group.addoption(
        "--payproof-target",
        choices=("simulator", "sandbox", "cassette"),
        default="simulator",
        help="What the integration talks to.",
    )
    group.addoption(
        "--payproof-quick",
        action="store_true",
        help="Leave out the probes that wait for real seconds; end after half a minute.",
    )
    group.addoption("--payproof-seed", metavar="N", type=int, help="Repeat the run of that seed.")
    group.addoption("--payproof-report-dir", metavar="PATH", help="Write payproof's reports there.")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("payproof_config"):
        return
    from payproof.suites.pytest_plugin.requirement_items import markers

    for line in markers(config):
        config.addinivalue_line("markers", line)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[_FOLDER] = Path(worker[_WORKER] if worker else tempfile.mkdtemp(prefix="payproof-pytest-"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if _FOLDER in config.stash and not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist, in the controller: all workers share one run, in one folder."""
    if _FOLDER in node.config.stash:
        node.workerinput[_WORKER] = str(node.config.stash[_FOLDER])


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if module_path.name == CONTRACT.name and module_path.samefile(CONTRACT):
        from payproof.suites.pytest_plugin.contract_items import ContractFile

        return ContractFile.beside(parent, module_path)
    if module_path.name != SUITE.name or not module_path.samefile(SUITE):
        return None
    from payproof.suites.pytest_plugin.requirement_items import RequirementsFile

    folder = parent.config.stash.get(_FOLDER, None)
    return RequirementsFile.beside(parent, module_path, folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """A skipped requirement is skipped where it stands, not where this plugin says so."""
    report = yield
    if item.path == SUITE and report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(item.path), 0, report.longrepr[2])  # pyright: ignore[reportUnknownMemberType]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The suite without a configuration proves nothing: alone, it counts as "no tests ran"."""
    ours = [item for item in session.items if item.path == SUITE] if hasattr(session, "items") else []
    if exitstatus == pytest.ExitCode.OK and ours and len(ours) == session.testscollected and not _configured(session):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if _FOLDER not in config.stash:
        return
    from payproof.suites.pytest_plugin.requirement_items import summary

    if lines := summary(config.stash[_FOLDER]):
        terminalreporter.section("payproof")
        for line in lines:
            terminalreporter.line(line)


def _configured(session: pytest.Session) -> bool:
    return _FOLDER in session.config.stash


@pytest.fixture
def payproof_gateway() -> Iterator[GatewayThread]:
    """A simulated gateway on a loopback port, for the length of one test."""
    from payproof.simulator.testing import GatewayThread

    with GatewayThread() as gateway:
        yield gateway


@pytest.fixture(scope="session")
def _payproof_gateway_of_the_session() -> Iterator[GatewayThread]:
    from payproof.simulator.testing import GatewayThread

    with GatewayThread() as gateway:
        yield gateway


@pytest.fixture
def payproof_session_gateway(_payproof_gateway_of_the_session: GatewayThread) -> GatewayThread:
    """A simulated gateway with one address and one pair of keys for the whole session: for software that reads its settings once. Each
    test finds it as new."""
    _payproof_gateway_of_the_session.renew()
    return _payproof_gateway_of_the_session


@pytest.fixture
def payproof_https_gateway() -> Iterator[GatewayThread]:
    """The same over HTTPS. Its attribute ``ca`` is the authority to trust."""
    from payproof.simulator.testing import GatewayThread

    with GatewayThread(https=True) as gateway:
        yield gateway
