"""Faults by name, and what each kind of them acts on. The misbehaviours themselves are loaded when the first one is asked for."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, cast

from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.faults.connection_context import ConnectionContext
from payproof.simulator.faults.context import FaultContext
from payproof.simulator.sockets.listening_port import ListeningPort

FAMILIES = ("answers", "bodies", "breaks", "connections", "delays", "framing", "handshakes", "limits", "ports")

Kind: TypeAlias = Literal["call", "handshake", "connection", "port"]
FILTERS: Mapping[Kind, tuple[str, ...]] = {
    "call": ("operation", "path", "payment", "reference", "after_effect", "times", "skip", "share"),
    "handshake": ("times", "skip", "share"),
    "connection": ("times", "skip", "share"),
    "port": (),
}
"""What a fault of each kind can be limited to. Before a request is read, nobody knows what it will ask."""


class Fault(Protocol):
    """A misbehaviour: a frozen dataclass whose fields are its parameters, each with a default. This one is of a call."""

    async def act(self, context: FaultContext) -> None:
        """Answer the call that was hit, or do not."""
        ...


class ConnectionFault(Protocol):
    """A misbehaviour on an accepted connection: at once, or (kind ``handshake``) when its client begins TLS."""

    async def meet(self, context: ConnectionContext) -> None:
        """Do what is wrong, or serve the connection in another way. Nothing was read from it."""
        ...


class PortFault(Protocol):
    """A misbehaviour of the port itself, for as long as it is armed."""

    seconds: float | None
    """The port opens again by itself after so long."""

    def shut(self, port: ListeningPort) -> None: ...


AnyFault: TypeAlias = Fault | ConnectionFault | PortFault
F = TypeVar("F", bound=type[Any])
_FAULTS: dict[str, type[Any]] = {}
_KINDS: dict[str, Kind] = {}


def fault(name: str, of: Kind = "call") -> Callable[[F], F]:
    """Register a class of faults under a name. ``of``: what it acts on."""

    def register(cls: F) -> F:
        if name in _FAULTS:
            raise ValueError(f'two faults are named "{name}": {_FAULTS[name].__qualname__} and {cls.__qualname__}')
        _FAULTS[name], _KINDS[name] = cls, of
        return cls

    return register


def registered(of: Kind | None = None) -> Mapping[str, type[Any]]:
    """Every fault by name, or those of one kind, in the order of the alphabet."""
    for family in FAMILIES:
        importlib.import_module(f"payproof.simulator.faults.{family}")
    return {name: cls for name, cls in sorted(_FAULTS.items()) if of in (None, _KINDS[name])}


def kind_of(name: str) -> Kind:
    """What the fault of this name acts on."""
    return _KINDS[name]


def build(spec: FaultSpec, profile: Profile) -> AnyFault:
    """The fault that ``spec`` names, with its parameters.

    Raises:
        PayproofError: no such fault, no such parameter, a value of the wrong type, an error that ``profile`` lacks, or a filter
            that faults of this kind do not have.
    """
    from pydantic import TypeAdapter, ValidationError

    known = registered()
    if spec.name not in known:
        raise _unknown("fault", spec.name, known)
    _refuse_filters(spec, kind_of(spec.name))
    cls = known[spec.name]
    fields = [field.name for field in dataclasses.fields(cls)]
    for name in spec.params:
        if name not in fields:
            raise _unknown(f'parameter of the fault "{spec.name}"', name, fields)
    adapter: TypeAdapter[Any] = TypeAdapter(cls)
    try:
        made = cast("AnyFault", adapter.validate_python(dict(spec.params)))
    except ValidationError as error:
        first = error.errors()[0]
        raise PayproofError(
            f'the fault "{spec.name}" does not take this: {first["msg"]}', place=".".join(map(str, first["loc"])),
            remedy="see `payproof list faults`",
        ) from None  # fmt: skip
    wire_error = spec.params.get("error")
    if wire_error is not None and wire_error not in profile.errors:
        raise _unknown(f"error of {profile.name}", str(wire_error), profile.errors)
    return made


def _refuse_filters(spec: FaultSpec, kind: Kind) -> None:
    """A filter that nobody can apply would be one that is silently not applied."""
    for field in dataclasses.fields(spec):
        if (
            field.name in FILTERS["call"]
            and field.name not in FILTERS[kind]
            and getattr(spec, field.name) != field.default
        ):
            raise PayproofError(
                f'the fault "{spec.name}" acts on the {kind} and cannot be limited by "{field.name}"', place=field.name,
                remedy=f"it takes: {', '.join(FILTERS[kind]) or 'no filter'}",
            )  # fmt: skip


def _unknown(what: str, name: str, known: Any) -> PayproofError:
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    remedy = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(known) or 'none'}"
    return PayproofError(f'there is no {what} named "{name}"', place=name, remedy=remedy)
