"""What a probe run is about, in words: from the run's own list of probes and faults, else from the probe's name."""

from __future__ import annotations

from collections.abc import Mapping

from payproof.contracts.checks.handling import outage_of
from payproof.contracts.entries import ProbeMark
from payproof.contracts.model import Json
from payproof.contracts.run import Run
from payproof.reports.facts import line

_OWN = {"control": "One clean payment, with nothing wrong", "settle": "At the end every order is looked at once more"}


def situation(run: Run, mark: ProbeMark) -> str:
    """One sentence without its full stop, such as ``The create call: 200 with prose that no parser takes``."""
    fault = _text(run.facts.get("faults"), str(mark.params.get("fault") or ""))
    operation = mark.params.get("operation")
    if fault:
        return line(f"The {operation} call: {_lowered(fault)}" if operation else fault)
    known = (
        _OWN.get(mark.probe) or _text(run.facts.get("probes"), mark.probe) or mark.probe.replace("-", " ").capitalize()
    )
    if "how" in mark.params and operation:
        return line(f"The {operation} call: {outage_of(mark.params)}")
    return line(known)


def particulars(mark: ProbeMark) -> str:
    """The probe's name with its parameters: ``error-answer, operation create, fault not-json``."""
    return line(", ".join((mark.probe, *(f"{name} {value}" for name, value in mark.params.items()))))


def _text(listed: Json, name: str) -> str:
    found = listed.get(name) if isinstance(listed, Mapping) else None
    return found if isinstance(found, str) else ""


def _lowered(text: str) -> str:
    """``text`` as the second half of a sentence; a name in capitals stays one."""
    return text if text[:2].isalpha() and text[:2].isupper() else text[:1].lower() + text[1:]
