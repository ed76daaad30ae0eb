"""Cookies as a browser keeps them: whatever bytes a shop wrote, they come back as they were."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import httpx


class Cookies(httpx.Cookies):
    """A jar of bytes: each letter of a cookie is one."""

    def extract_cookies(self, response: httpx.Response) -> None:
        with _as_bytes(response.headers):
            super().extract_cookies(response)

    def set_cookie_header(self, request: httpx.Request) -> None:
        with _as_bytes(request.headers):
            super().set_cookie_header(request)


@contextmanager
def _as_bytes(headers: httpx.Headers) -> Generator[None]:
    headers.encoding = "iso-8859-1"
    try:
        yield
    finally:
        headers.encoding = httpx.Headers(headers.raw).encoding  # what fits them now
