"""How an operation of the control port is answered: its value as JSON, and every mistake as ``{"error": ..., "remedy": ...}``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payproof.contracts.model import PayproofError
from payproof.simulator.control.operations import Operation
from payproof.simulator.simulator import Simulator

Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(sim: Simulator, operation: Operation) -> Endpoint:
    async def run(request: Request) -> Response:
        try:
            answer = await operation(sim, request)
            return answer if isinstance(answer, Response) else JSONResponse(answer)
        except PayproofError as error:
            return refusal(400, error.message, error.remedy, error.place)
        except ValidationError as error:
            first = error.errors()[0]
            return refusal(422, first["msg"], "see GET /", ".".join(map(str, first["loc"])))
        except RecursionError:
            return refusal(422, "the body is nested too deeply", "see GET /")
        except (ValueError, TypeError, OverflowError) as error:
            return refusal(422, str(error), "see GET /")

    return run


async def not_there(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal(status, "there is no such operation", "see GET /", f"{request.method} {request.url.path}")


def refusal(status: int, error: str, remedy: str, place: str = "") -> Response:
    problem = {"error": error, "remedy": remedy} | ({"place": place} if place else {})
    # What a stranger sent is quoted, and may hold what no UTF-8 text can.
    readable = {name: text.encode("utf-8", "replace").decode() for name, text in problem.items()}
    return JSONResponse(readable, status_code=status)
