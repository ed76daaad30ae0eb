"""What a client meets: each situation is a call or two to a gateway that is up to something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Where: TypeAlias = Literal["simulator", "web", "alpn"]

REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """``calls`` are made with one client, one after the other. ``stand``: the simulator, or what stands in for it (stands.py)."""

    name: str
    methods: tuple[str, ...] = ("POST",)
    modes: tuple[str, ...] = ("default", "set")
    calls: int = 1
    stand: Where = "simulator"
    path: str = ""
    """Of the web stand: what is asked for."""
    fault: str = ""
    """Armed in the simulator, for every call (connection) after the first ``skip``."""
    skip: int = 0
    params: dict[str, float] = field(default_factory=dict[str, float])
    secure: bool = False
    """Over TLS, under a certificate of an authority that the client trusts, unless the fault is of the certificate."""
    waits: bool = False
    """A limit is looked for: the client gets the whole window, and its ``clock`` mode is tried too."""

    def cells(self, clock: bool) -> list[Cell]:
        found = [Cell(self, method, mode) for mode in self.modes for method in self.methods]
        return [*found, Cell(self, "POST", "clock")] if clock and self.waits else found


@dataclass(frozen=True, slots=True)
class Cell:
    situation: Situation
    method: str
    mode: str

    @property
    def name(self) -> str:
        return f"{self.situation.name}/{self.method}/{self.mode}"


BOTH, DEFAULT = ("GET", "POST"), ("default",)

WAITS = (
    Situation(name="connect", fault="backlog", waits=True),
    Situation(name="tls", fault="silent", secure=True, waits=True),
    Situation(name="tls-half", fault="tls-silence", params={"keep": 0.5}, secure=True, waits=True),
    Situation(name="first-byte", methods=BOTH, fault="never-answer", waits=True),
    Situation(name="body", fault="stall", waits=True),
    Situation(name="drip", fault="drip", waits=True),
    Situation(name="drip-headers", fault="drip-headers", waits=True),
)
LOSSES = (
    Situation(name="refused", modes=DEFAULT, fault="refuse"),
    Situation(name="reset-on-accept", methods=BOTH, modes=DEFAULT, fault="reset-on-accept"),
    Situation(name="reset", methods=BOTH, fault="reset"),
    Situation(name="empty", methods=BOTH, fault="dropped"),
    Situation(name="kept-reset", methods=BOTH, fault="reset", calls=2, skip=1),
    Situation(name="kept-empty", methods=BOTH, fault="dropped", calls=2, skip=1),
)
REST = (
    Situation(name="kept", methods=("GET",), modes=DEFAULT, stand="web", path="/plain", calls=2),
    Situation(name="gzip", methods=("GET",), modes=DEFAULT, stand="web", path="/gzip"),
    *(Situation(name=f"redirect-{code}", modes=DEFAULT, stand="web", path=f"/redirect/{code}") for code in REDIRECTS),
    Situation(name="redirect-get", methods=("GET",), modes=DEFAULT, stand="web", path="/redirect/302"),
    Situation(name="redirect-away", methods=("GET",), modes=DEFAULT, stand="web", path="/away"),
    Situation(name="limited", methods=BOTH, modes=DEFAULT, fault="rate-limit", params={"seconds": 2}),
    Situation(name="short", methods=("GET",), modes=DEFAULT, fault="length-too-long", params={"by": 1_000}),
    Situation(name="short-chunk", methods=("GET",), modes=DEFAULT, fault="chunk-cut"),
    Situation(name="trusted", modes=DEFAULT, secure=True),
    Situation(name="unknown", modes=DEFAULT, secure=True, fault="unknown-authority"),
    Situation(name="expired", modes=DEFAULT, secure=True, fault="expired-certificate"),
    Situation(name="host", modes=DEFAULT, secure=True, fault="wrong-host"),
    Situation(name="old-tls", modes=DEFAULT, secure=True, fault="old-tls"),
    Situation(name="alpn", methods=("GET",), modes=DEFAULT, stand="alpn", secure=True),
)
SITUATIONS = (*WAITS, *LOSSES, *REST)
