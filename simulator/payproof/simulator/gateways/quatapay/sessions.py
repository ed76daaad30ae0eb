"""Customers' browser sessions at the hosted checkout: a cookie, a CSRF word, and who logged in for which payment."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from payproof.contracts.profile import Payer
from payproof.simulator.ids import Ids

COOKIE = "checkout_session"
LIMIT = 10_000


@dataclass(slots=True)
class LoginSession:
    id: str
    csrf: str
    payers: dict[str, Payer] = field(default_factory=dict[str, Payer])
    """Payment -> who logged in to pay it. Each payment asks for itself, so that two tabs can have two payers."""
    confirmed: set[str] = field(default_factory=set[str])
    """Payments that wait for the one-time code."""


class Sessions:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._sessions: dict[str, LoginSession] = {}

    def of(self, request: Request) -> LoginSession:
        """The caller's session, a new one when there is none."""
        found = self._sessions.get(request.cookies.get(COOKIE, ""))
        if found is None:
            found = LoginSession(self._ids.mint(40), self._ids.mint(40))
            self._sessions[found.id] = found
            if len(self._sessions) > LIMIT:
                del self._sessions[next(iter(self._sessions))]
        return found

    def keep(self, request: Request, session: LoginSession, response: Response) -> Response:
        """Give the session's cookie to a browser that does not have it."""
        if request.cookies.get(COOKIE) != session.id:
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, session.id, httponly=True, samesite="lax", secure=secure)
        return response
