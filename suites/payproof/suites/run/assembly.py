"""What a run leaves: its journals, the facts of it, and what of it could not be judged."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from payproof.contracts import __version__
from payproof.contracts.entries import Step
from payproof.contracts.journal import covered
from payproof.contracts.judging.steps import StepName, number
from payproof.contracts.model import Json
from payproof.contracts.run import Run, Settings, digest
from payproof.simulator.faults import registered
from payproof.suites.probes import Params, Probe, provoked_by
from payproof.suites.run import secret_scan
from payproof.suites.run.plan import MAIN, Options, Plan, powerless, skipped
from payproof.suites.run.revision import revision
from payproof.suites.session.lateness import TOO_LATE
from payproof.suites.session.session import Session


@dataclass(slots=True)
class Losses:
    """Requirements that lost a probe, each with the reason: an error, the gateway out of reach, the run's time that was up."""

    errors: dict[str, str] = field(default_factory=dict[str, str])
    unreached: dict[str, str] = field(default_factory=dict[str, str])
    cut: dict[str, str] = field(default_factory=dict[str, str])

    def leave_out(self, probe_runs: Iterable[tuple[Probe, Params]], why: str, seconds: float | None) -> None:
        """The time of all probes, ``seconds``, was up. ``why``: what was waited for; empty for what was not begun."""
        for probe, _ in probe_runs:
            for id in probe.requirements:
                text = f"left out: the time of this quick run was up after {seconds:g} s"
                self.cut.setdefault(
                    id, f"{text}; the probe {probe.name} {why}" if why else f"{text}, before its turn came"
                )

    def broke(self, probe_runs: Iterable[tuple[Probe, Params]], message: str) -> None:
        for probe, _ in probe_runs:
            for id in probe.requirements:
                self.errors.setdefault(id, message)


def begun(session: Session, options: Options) -> Run:
    """What a run that is broken off has to say of itself."""
    tested = revision(session.config.folder)
    return Run(
        gateway=session.config.gateway,
        selected=options.only,
        facts={
            "name": session.config.integration.name,
            "gateway": session.config.gateway,
            "payproof": __version__,
            "profile_version": session.config.profile.version,
            "target": options.target,
            "quick": options.quick,
            "seed": session.seed,
            "started": session.started.isoformat(timespec="seconds"),
            **({"commit": tested.commit, "dirty": tested.dirty} if tested else {}),
        },
    )


def assembled(
    session: Session,
    begun: Run,
    options: Options,
    planned: Plan,
    settings: Settings,
    losses: Losses,
    *,
    scored: bool,
    diagnosis: tuple[str, ...],
) -> Run:
    """The run, once all of its worlds are retired."""
    unattributed = _keep_shared_logs(session)
    _scan_source(session)
    worlds = tuple(sorted(session.recorded.values(), key=lambda world: world.name != MAIN))
    redactor = session.redactor
    if redactor.learned:
        # What was learned late covers what was written early, in any world.
        worlds = covered(worlds, redactor)
        diagnosis = covered(diagnosis, redactor)
    described = json.dumps(session.config.model_dump(mode="json"), sort_keys=True)
    facts: dict[str, Json] = {
        **begun.facts,
        "seconds": round(session.now(), 1),
        "configuration": digest(redactor.redact(described)),
        **placed(session.config.folder),
        "journal": digest("\n".join(f"{world.name} {entry!r}" for world in worlds for entry in world.entries)),
        "errors": {id: redactor.redact(text) for id, text in losses.errors.items()},
        "cut": dict(losses.cut),
        "faults": _faults(),
        "probes": _probes(planned),
        **({"unattributed_log_lines": unattributed} if unattributed else {}),
        **({"unread_bytes": unread} if (unread := _unread(session)) else {}),
        **session.source.account(),
        **({"late": round(late, 1)} if (late := session.lateness.worst) >= TOO_LATE else {}),
    }
    missing = skipped(planned, planned.left_out) if options.target == "cassette" else ()
    return Run(
        gateway=session.config.gateway,
        settings=settings,
        worlds=worlds,
        given_up=tuple(session.given_up),
        selected=options.only,
        provoked_by=provoked_by(session.config.gateway),
        left_out=(*planned.left_out, *planned.powerless),
        skipped=tuple(dict.fromkeys((*(skipped(planned, planned.left_out) if options.quick else ()), *losses.cut))),
        powerless={
            **powerless(planned, settings),
            **dict.fromkeys(missing, "the recording does not hold its probe"),
            **losses.unreached,
        },
        scored=scored,
        diagnosis=diagnosis,
        facts=facts,
    )


def placed(folder: Path) -> dict[str, Json]:
    """Where the configuration lies below the current folder, as a pipeline's formats name files; nothing when it lies elsewhere."""
    here = Path.cwd().resolve()
    return {"folder": folder.relative_to(here).as_posix()} if folder.is_relative_to(here) else {}


def _faults() -> dict[str, Json]:
    """The faults that this version knows, each with the first sentence of what it does: a map of what was tried shows the rest."""
    return {name: _first_sentence(inspect.getdoc(cls) or "") for name, cls in registered().items()}


def _probes(planned: Plan) -> dict[str, Json]:
    """The first sentence of each probe's text: the heading of its probe runs in a report."""
    return {name: _first_sentence(found.text) for name, found in planned.known.items()}


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".").replace("``", "`")


def _keep_shared_logs(session: Session) -> int:
    """Lines of shared log files that belong to no world are kept in one of their own: secrets are searched there too. How many
    there were, where instances write together."""
    logs = session.shared.logs
    if logs.together:
        files = ", ".join(session.config.integration.logs.files)
        session.progress.note(
            f"all instances write {files}: {logs.unowned} of {logs.lines} lines name nothing by which they could be told"
            " apart; {instance.dir} or {port} in integration.logs.files gives each instance its own"
        )
    if logs.aside:
        journal = session.journal()
        for line in logs.aside:
            journal.add(line)
        session.keep("shared-logs", journal)
    return logs.unowned if logs.together else 0


def _scan_source(session: Session) -> None:
    declared = session.config.integration.source
    if declared.paths or declared.frontend:
        journal = session.journal("source")
        secret_scan.scan(session.config, journal)
        session.keep("source", journal)


def _unread(session: Session) -> dict[str, Json]:
    """Bytes that the integration wrote and that were too many to keep, by world."""
    cut = {
        name: sum(int(number(step, "bytes")) for step in world.of(Step) if step.name == StepName.CUT)
        for name, world in session.recorded.items()
    }
    return {name: count for name, count in cut.items() if count}
