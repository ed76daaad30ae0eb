"""What payproof is compared with: a plain Starlette app that parses each call, keeps what it holds, and answers as the gateway does.

No authentication, no validation, no journal, no clock.
"""

from __future__ import annotations

import secrets

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

tokens: dict[str, dict[str, object]] = {}
payments: dict[str, dict[str, object]] = {}


def answered(text: str, data: dict[str, object]) -> JSONResponse:
    return JSONResponse({"message": {"code": 200, "success": [text]}, "data": data, "type": "success"})


async def token(request: Request) -> JSONResponse:
    value = secrets.token_hex(175)
    tokens[value] = await request.json()
    return answered("SUCCESS", {"access_token": value, "expire_time": 600})


async def create(request: Request) -> JSONResponse:
    fields = await request.json()
    payment = secrets.token_hex(30)
    payments[payment] = fields
    address = f"http://{request.headers['host']}/pay/sandbox/v1/user/authentication/form/{payment}"
    return answered("CREATED", {"token": payment, "payment_url": address})


async def status(request: Request) -> JSONResponse:
    payment = request.path_params["token"]
    row = payments[payment]
    data: dict[str, object] = {"token": payment, "trx_id": None, "payer": None, "amount": row["amount"]}
    data |= {"currency": row["currency"], "custom": row["custom"], "status": "CREATED", "paid": False}
    return answered("SUCCESS", data)


app = Starlette(
    routes=[
        Route("/pay/sandbox/api/v1/authentication/token", token, methods=["POST"]),
        Route("/pay/sandbox/api/v1/payment/create", create, methods=["POST"]),
        Route("/pay/sandbox/api/v1/payment/status/{token}", status, methods=["GET"]),
    ]
)
