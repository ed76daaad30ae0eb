"""What a page shows of the journal: scenes, their messages, their log lines."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.contracts.entries import Headers


@dataclass(frozen=True, slots=True)
class Message:
    """One half of an exchange."""

    label: str
    line: str
    headers: Headers
    body: str
    cut: bool = False
    """The body is not all that was sent."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a block. ``left_out``: lines before it that are not shown."""

    n: int
    text: str
    pointed: bool
    left_out: int = 0
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """``actor`` is one of probe, customer, call, gateway, log, order, fault, process, alert."""

    pointer: str
    n: int
    at: float
    actor: str
    title: str
    note: str = ""
    text: str = ""
    lines: tuple[LogLine, ...] = ()
    """Of a block of log lines: ``text``, line by line."""
    messages: tuple[Message, ...] = ()
    pointed: bool = False
    """A finding points at this entry."""
    caused: bool = False
    """It came about while the integration worked on the customer's request above it."""
    anchor: str = ""
    """Where links to this entry lead; empty where they lead to another place that shows it."""
