"""The protocol's limit: raw ASGI on uvicorn, a constant answer, nothing read and nothing kept."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

BODY = (
    b'{"message":{"code":200,"success":["CREATED"]},"data":{"token":"%b","payment_url":'
    b'"http://127.0.0.1/pay/sandbox/v1/user/authentication/form/%b"},"type":"success"}' % (b"x" * 60, b"x" * 60)
)
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": BODY})
