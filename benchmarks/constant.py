"""The limit: Starlette on uvicorn with a constant answer, no checks, nothing kept."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def create(request: Request) -> JSONResponse:
    await request.body()
    data = {"token": "x" * 60, "payment_url": "http://127.0.0.1/pay/sandbox/v1/user/authentication/form/" + "x" * 60}
    return JSONResponse({"message": {"code": 200, "success": ["CREATED"]}, "data": data, "type": "success"})


app = Starlette(routes=[Route("/payment/create", create, methods=["POST"])])
