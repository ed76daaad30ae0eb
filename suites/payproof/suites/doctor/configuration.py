"""What is wrong with a configuration before anything is started."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from payproof.contracts.model import PayproofError
from payproof.suites.config import Config, config_in, load_config
from payproof.suites.doctor.finding import HealthCheck
from payproof.suites.session import ports
from payproof.suites.session.launcher import basics


def read(path: Path | None) -> tuple[Config | None, HealthCheck]:
    """The configuration that a run here would use, and how reading it went."""
    try:
        if path is None and config_in(Path()) is None:
            return None, HealthCheck(
                "configuration", "payproof.toml", "note", "there is none in this folder", "payproof init"
            )
        config = load_config(path)
    except PayproofError as error:
        return None, HealthCheck(
            "configuration", error.place or "payproof.toml", "problem", error.message, error.remedy
        )
    return config, HealthCheck(
        "configuration", config.integration.name, "ok", f"read, for the gateway {config.gateway}"
    )


async def of(config: Config) -> Iterator[HealthCheck]:
    """Its command, or the address at which it already runs."""
    integration = config.integration
    if not integration.command:
        return iter([await _running(integration.url)])
    program, *_ = integration.command
    if "{" in program:
        return iter(())
    path = str(config.folder / program) if "/" in program else program
    found = shutil.which(path, path=integration.env.get("PATH", basics().get("PATH")))
    if found is None:
        remedy = "check the name; relative paths start at the folder of the configuration file"
        return iter(
            [HealthCheck("configuration", "integration.command", "problem", f"there is no program {program}", remedy)]
        )
    return iter([HealthCheck("configuration", "integration.command", "ok", found)])


async def _running(url: str) -> HealthCheck:
    if await ports.answers(url):
        return HealthCheck("configuration", "integration.url", "ok", f"{url} takes connections")
    return HealthCheck(
        "configuration",
        "integration.url",
        "problem",
        f"nobody listens at {url}",
        "start the integration, or give a command",
    )
