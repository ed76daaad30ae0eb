"""``payproof doctor``: what this machine has for a run, and what stands in its way."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from payproof.contracts import __version__
from payproof.suites.commands import options

if TYPE_CHECKING:
    from payproof.suites.doctor.finding import HealthCheck


@click.command()
@options.config
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def doctor(config_path: Path | None, as_json: bool) -> int:
    """Look at versions, ports, runtimes, browser and configuration; each problem has a remedy.

    Every runtime that is installed is asked for one https page, to see whether it trusts the authority that a run makes.

    Exit codes: 0 nothing stands in the way of a run, 1 something does.
    """
    from payproof.suites.commands.loop import run_async

    findings = run_async(_examine(config_path))
    healthy = all(each.state != "problem" for each in findings)
    if as_json:
        report = {
            "payproof": __version__,
            "healthy": healthy,
            "findings": [dataclasses.asdict(each) for each in findings],
        }
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _show(findings, healthy=healthy)
    return 0 if healthy else 1


async def _examine(config_path: Path | None) -> list[HealthCheck]:
    from payproof.suites.doctor import configuration, machine, runtimes

    config, reading = configuration.read(config_path)
    sandbox = config.sandbox if config else None
    return [
        *machine.packages(),
        *machine.system(),
        *machine.ports(),
        *await runtimes.runtimes(config.integration.command if config else ()),
        machine.chromium(needed=sandbox is not None and sandbox.customer == "browser"),
        reading,
        *(await configuration.of(config) if config else ()),
    ]


def _show(findings: list[HealthCheck], *, healthy: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from payproof.reports.text_output import TextOutput

    output = TextOutput(Console(file=sys.stdout, highlight=False))
    marks = {
        "ok": ("ok" if output.ascii else "✓", "green"),
        "note": ("-" if output.ascii else "·", "yellow"),
        "problem": ("x" if output.ascii else "✗", "red"),
    }
    area = ""
    for each in findings:
        if each.area != area:
            area = each.area
            output.rule(area.capitalize() if area != "payproof" else area)
        letter, style = marks[each.state]
        output.say(f"{each.name}: {each.detail}", lead=Text(f" {letter}", style=style))
        if each.remedy:
            output.say(f"do: {each.remedy}", indent=5)
    output.say()
    problems = sum(each.state == "problem" for each in findings)
    output.say("Nothing stands in the way of a run." if healthy else f"{problems} in the way of a run.", style="bold")
