"""What one client's measured cells say, in words."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from clients import Client
from situations import REDIRECTS

LOSSES = ("reset", "empty")
PLAIN_BYTES = 5012
_OLD = {"TLSv1", "TLSv1.1"}
_LATE = 2.0
"""Seconds by which a socket may outlive what the program was told."""


@dataclass(frozen=True, slots=True)
class Reading:
    client: Client
    measured: dict[str, Any]

    @property
    def version(self) -> str:
        return str(self.measured["clients"][self.client.name]["version"])

    @property
    def anchor(self) -> str:
        kept = "".join(c if c.isalnum() else "-" for c in self.client.name.lower())
        return f"{self.client.language.lower().replace(' ', '-')}-{kept.strip('-')}"

    @property
    def link(self) -> str:
        return f"[{self.client.name}](#{self.anchor})"

    def cell(self, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.measured["clients"][self.client.name]["cells"].get(name)
        return found

    def has(self, name: str) -> bool:
        return self.cell(name) is not None

    # Limits

    def attempts(self, name: str) -> list[float]:
        """Seconds that each attempt of a call lasted at the socket: requests where one was read, else connections."""
        cell = self.cell(name) or {"requests": [], "connections": []}
        return [each["seconds"] for each in cell["requests"] or cell["connections"]]

    def endless(self, name: str) -> bool:
        cell = self.cell(name)
        return bool(cell and cell["running"])

    def limit(self, name: str) -> str:
        cell = self.cell(name)
        if cell is None:
            return "?"
        lasted = self.attempts(name)
        if cell["running"]:
            return "**none**" if len(lasted) < 2 else f"**none** ({len(lasted)} attempts)"
        if not lasted:
            return "?"
        if (told := self._told_before(name)) is not None:
            return f"{told:.1f} s, socket left open"
        spread = f"{min(lasted):.1f}" if max(lasted) - min(lasted) < 0.3 else f"{min(lasted):.1f} to {max(lasted):.1f}"
        return f"{spread} s" if len(lasted) == 1 else f"{len(lasted)} times {spread} s"

    def endless_stages(self, mode: str, stages: tuple[tuple[str, str], ...]) -> list[str]:
        words = {
            "drip": "a drip",
            "connect": "a connect that hangs",
            "TLS handshake": "a silent TLS handshake",
            "half a handshake": "a TLS handshake that stops half-way",
        }
        return [words.get(title, f"a {title}") for title, name in stages if self.endless(f"{name}/{mode}")]

    def _told_before(self, name: str) -> float | None:
        """Seconds after which the program was told, where the socket then stayed open."""
        cell, lasted = self.cell(name), self.attempts(name)
        if not cell or not cell["told"] or len(lasted) != 1:
            return None
        told: float = cell["told"][-1]["seconds"]
        return told if lasted[0] - told > _LATE else None

    # Re-sends

    def sent(self, name: str) -> int | None:
        """How often the last call reached the gateway."""
        cell = self.cell(name)
        if cell is None:
            return None
        return len(cell["requests"]) - (2 if name.startswith("kept") else 1) + 1

    def times(self, name: str) -> str:
        if name.startswith("kept") and not self.keeps_alive():
            return "-"
        sent = self.sent(name)
        return "?" if sent is None else str(sent) if sent < 2 else f"**{sent}**"

    def worst(self, verb: str, mode: str) -> str:
        """The most requests for one call on a fresh and on a kept connection."""
        fresh = max(self.sent(f"{loss}/{verb}/{mode}") or 0 for loss in LOSSES)
        kept = max(self.sent(f"kept-{loss}/{verb}/{mode}") or 0 for loss in LOSSES)
        told = f"{fresh} / {kept}" if self.keeps_alive() else f"{fresh} / -"
        return told if max(fresh, kept) < 2 else f"**{told}**"

    def connections_of(self, name: str) -> str:
        counts = [
            len((self.cell(f"{name}/{verb}/default") or {"connections": []})["connections"]) for verb in ("GET", "POST")
        ]
        return f"{counts[0]} / {counts[1]}"

    def told_after(self, name: str) -> str:
        cell = self.cell(name)
        return f"{cell['told'][-1]['seconds']:.1f} s" if cell and cell["told"] else "?"

    # The rest of the wire

    def keeps_alive(self) -> bool:
        cell = self.cell("kept/GET/default")
        ports = {each["port"] for each in cell["requests"]} if cell else set[int]()
        return len(ports) == 1

    def keeps(self) -> str:
        return "yes" if self.keeps_alive() else "no"

    def moved(self, code: int) -> str:
        """The verb with which a redirected POST is followed; empty where it is not."""
        cell = self.cell(f"redirect-{code}/POST/default")
        landed = [each for each in cell["requests"] if each["path"] == "/landed"] if cell else []
        return str(landed[-1]["method"]) if landed else ""

    def redirect_words(self, *codes: int) -> str:
        """What becomes of a redirected POST, the codes with the same fate together."""
        fates: dict[str, list[int]] = {}
        for code in codes:
            fates.setdefault(self._fate(code), []).append(code)
        if len(fates) == 1:
            return next(iter(fates))
        return "; ".join(f"{', '.join(map(str, found))} {fate}" for fate, found in fates.items())

    def redirects(self) -> str:
        return self.redirect_words(*REDIRECTS)

    def _fate(self, code: int) -> str:
        cell = self.cell(f"redirect-{code}/POST/default")
        if cell is None:
            return "?"
        landed = [each for each in cell["requests"] if each["path"] == "/landed"]
        if not landed:
            told = cell["told"][-1]["outcome"] if cell["told"] else "error"
            return "not followed" if told == "answer" else "error"
        if landed[-1]["method"] == "GET":
            return "GET"
        return "**POST**" if landed[-1]["body"] else "**POST without body**"

    def follows_get(self) -> str:
        cell = self.cell("redirect-get/GET/default")
        return "?" if cell is None else "followed" if len(cell["requests"]) > 1 else "not followed"

    def carries_token(self) -> str:
        cell = self.cell("redirect-away/GET/default")
        landed = [each for each in cell["requests"] if each["path"] == "/landed"] if cell else []
        return "-" if not landed else "**sent**" if landed[-1]["authorized"] else "dropped"

    def limited(self) -> str:
        words = list[str]()
        for verb in ("GET", "POST"):
            cell = self.cell(f"limited/{verb}/default")
            asked = cell["requests"] if cell else []
            if len(asked) > 1:
                gaps = ", ".join(f"{after['at'] - before['at']:.1f}" for before, after in itertools.pairwise(asked))
                words.append(f"{verb} sent {len(asked)} times, after {gaps} s")
        return "; ".join(words) or "told, not sent again"

    def trusting(self) -> str:
        """Which bad certificates it takes: those over which a request came; empty for none."""
        names = {"unknown": "unknown authority", "expired": "expired", "host": "wrong host"}
        taken = [
            text for name, text in names.items() if (cell := self.cell(f"{name}/POST/default")) and cell["requests"]
        ]
        return f"**taken: {', '.join(taken)}**" if taken else ""

    def old_tls(self) -> str:
        """What becomes of a gateway that offers TLS 1.0 and 1.1 only, and who of the two ends it."""
        cell = self.cell("old-tls/POST/default")
        if cell is None or not (cell["requests"] or cell["connections"]):
            return "?"
        if cell["requests"]:
            return "**taken**"
        return "refused, though offered" if _OLD & set(self._offered()) else "refused"

    def offers(self) -> str:
        """The versions of TLS in its ClientHello, newest first: ``1.3, 1.2``."""
        names = [_version(name) for name in self._offered()]
        return ", ".join(f"**{name}**" if name in ("1.0", "1.1") else name for name in names) or "?"

    def _offered(self) -> list[str]:
        cell = self.cell("old-tls/POST/default")
        return list(cell["connections"][0].get("offered", ())) if cell and cell["connections"] else []

    def takes(self, situation: str) -> bool:
        """Whether it took that body for whole."""
        cell = self.cell(f"{situation}/GET/default")
        return bool(cell and cell["told"] and cell["told"][-1]["outcome"] == "answer")

    def short(self) -> str:
        taken = {"short": "length", "short-chunk": "chunk"}
        found = [text for name, text in taken.items() if self.takes(name)]
        return f"**taken** ({' and '.join(found)})" if found else "error"

    def http_version(self) -> str:
        seen = self._agreed()
        chosen = {"h2": "HTTP/2", "http/1.1": "HTTP/1.1"}
        return "?" if seen is None else chosen.get(seen["alpn"] or "", f"{seen['version']}, no ALPN")

    def tls(self) -> str:
        seen = self._agreed()
        return "?" if seen is None else _version(str(seen["tls"]))

    def _agreed(self) -> dict[str, Any] | None:
        cell = self.cell("alpn/GET/default")
        return cell["connections"][0] if cell and cell["connections"] else None

    def asks_gzip(self) -> str:
        cell = self.cell("gzip/GET/default")
        return "?" if cell is None else "yes" if "gzip" in cell["requests"][0]["accepts"] else "no"

    def unpacks(self) -> str:
        cell = self.cell("gzip/GET/default")
        if cell is None or not cell["told"]:
            return "?"
        return "yes" if cell["told"][-1].get("bytes") == PLAIN_BYTES else "no"


def _version(name: str) -> str:
    """``1.3`` for ``TLSv1.3``; the first is called ``TLSv1``."""
    return "1.0" if name == "TLSv1" else name.removeprefix("TLSv")
