"""Faults by name."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.faults.context import FaultContext

FAMILIES = ("answers", "bodies", "delays", "limits")


HttpStatus: TypeAlias = Annotated[int, Field(ge=200, le=599)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Text: TypeAlias = Annotated[str, Field(max_length=10_000)]
HeaderValue: TypeAlias = Annotated[str, Field(max_length=1_000, pattern=r"^[\x20-\x7e]*$")]


class Fault(Protocol):
    """A misbehaviour: a frozen dataclass whose fields are its parameters, each with a default."""

    async def act(self, hit: FaultContext) -> None:
        """Answer the call that was hit, or do not."""
        ...


F = TypeVar("F", bound=type[Any])
_FAULTS: dict[str, type[Any]] = {}


def fault(name: str) -> Callable[[F], F]:
    """Register a class of faults under a name."""

    def register(cls: F) -> F:
        if name in _FAULTS:
            raise ValueError(f'two faults are named "{name}": {_FAULTS[name].__qualname__} and {cls.__qualname__}')
        _FAULTS[name] = cls
        return cls

    return register


def registered() -> Mapping[str, type[Any]]:
    """Every fault by name, in the order of the alphabet."""
    for family in FAMILIES:
        importlib.import_module(f"payproof.simulator.faults.{family}")
    return dict(sorted(_FAULTS.items()))


def build(spec: FaultSpec, profile: Profile) -> Fault:
    """The fault that ``spec`` names, with its parameters.

    Raises:
        PayproofError: no such fault, no such parameter, a value of the wrong type, or an error that ``profile`` lacks.
    """
    known = registered()
    if spec.name not in known:
        raise _unknown("fault", spec.name, known)
    cls = known[spec.name]
    fields = [field.name for field in dataclasses.fields(cls)]
    for name in spec.params:
        if name not in fields:
            raise _unknown(f'parameter of the fault "{spec.name}"', name, fields)
    adapter: TypeAdapter[Any] = TypeAdapter(cls)
    try:
        made: Fault = adapter.validate_python(dict(spec.params))
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


def _unknown(what: str, name: str, known: Any) -> PayproofError:
    close = difflib.get_close_matches(name, list(known), n=1)
    remedy = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(known) or 'none'}"
    return PayproofError(f'there is no {what} named "{name}"', place=name, remedy=remedy)
