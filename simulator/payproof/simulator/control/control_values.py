"""What operations of the control port take and give: bodies that are checked, entries as JSON."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter
from starlette.requests import Request

from payproof.contracts.entries import AnyEntry, Entry


class ControlBody(BaseModel):
    """A request's body; a key that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid")


B = TypeVar("B", bound=ControlBody)


async def body_of(request: Request, model: type[B]) -> B:
    """Raises:
    ValidationError: the body is not such as ``model`` says.
    """
    raw = await request.body()
    return model.model_validate_json(raw or b"{}")


def plain(entry: Entry) -> Any:
    """An entry as JSON."""
    return _adapter().dump_python(entry, mode="json")


@cache
def _adapter() -> TypeAdapter[Any]:
    """Made when it is first needed: it takes as long as everything else that `payproof serve` does before it is ready."""
    return TypeAdapter(AnyEntry)
