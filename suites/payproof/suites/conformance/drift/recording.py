"""The sandbox's answers of the catalogue as a cassette: written redacted, and read back case by case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.cassettes import CassetteWriter, RecordedExchange, read
from payproof.simulator.cassettes.placeholders import spelled, substituted
from payproof.simulator.cassettes.stamp import Stamp
from payproof.simulator.cassettes.writer import refuse_existing
from payproof.simulator.relay.sandbox_exchange import SandboxExchange
from payproof.suites.config import Config
from payproof.suites.conformance.drift.observe import LOGIN
from payproof.suites.conformance.template import swapped
from payproof.suites.session.sandbox import checkout_of, known_secrets, sandbox_of

PREFIX = "drift "
"""Begins the name of a case in a cassette, so that no probe is taken for one."""


class DriftRecorder:
    """Takes the sandbox's exchanges, and writes them when all is asked."""

    def __init__(self, config: Config, path: Path, *, force: bool) -> None:
        refuse_existing(path, force=force)
        self._path, self._force = path, force
        settings = sandbox_of(config)
        known = list(known_secrets(config))
        if other := settings.other:
            known += [("client-id", other.client_id), ("secret-key", other.secret_key)]
        # The right letters in the other case are the secret too.
        known += [(kind, swapped(text)) for kind, text in known if kind in ("client-id", "secret-key")]
        self._writer = CassetteWriter(
            config.profile, base_url=settings.base_url, seed=0, known=known, checkout=checkout_of(config)
        )

    def take(self, taped: SandboxExchange) -> None:
        self._writer.take(replace(taped, probe=f"{PREFIX}{taped.probe}"))

    def write(self) -> Path:
        """Redact and write.

        Raises:
            PayproofError: nothing was answered, or the file cannot be written.
        """
        return self._writer.write(self._path, force=self._force).path


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRecording:
    """``exchanges``: case -> its exchanges in their order; ``observed``: the day of the recording (ISO)."""

    exchanges: Mapping[str, list[RecordedExchange]]
    site: str
    checkout: str
    base_url: str
    where: str
    observed: str


def recorded(path: Path, profile: Profile) -> DriftRecording:
    """The cases of a cassette.

    Raises:
        PayproofError: not a cassette of this gateway's cases.
    """
    found = read(path)
    stamp = found.stamp
    cases: dict[str, list[RecordedExchange]] = {}
    for each in found.exchanges:
        if stamp is not None and each.probe.startswith(PREFIX):
            cases.setdefault(each.probe.removeprefix(PREFIX), []).append(_lengthened(each, stamp))
    if stamp is None or not cases:
        raise PayproofError(
            "this cassette holds no cases to compare",
            place=str(path),
            remedy="record them from the sandbox: payproof drift --record FILE",
        )
    return DriftRecording(
        exchanges=cases,
        site=stamp.upstream,
        checkout=stamp.checkout,
        base_url=stamp.upstream + stamp.base_path,
        where=stamp.upstream.partition("://")[2],
        observed=stamp.recorded_at[:10],
    )


def _lengthened(exchange: RecordedExchange, stamp: Stamp) -> RecordedExchange:
    """With every placeholder as long as what stood there, so that lengths can still be compared."""
    response = exchange.response
    headers = tuple((name, _long(value, stamp)) for name, value in response.headers)
    return replace(exchange, response=replace(response, headers=headers, body=_long(response.body, stamp)))


def _long(text: str, stamp: Stamp) -> str:
    def padded(kind: str, name: str) -> str | None:
        if kind == "login":
            return LOGIN
        length = stamp.redacted[kind].length if kind in stamp.redacted else 0
        mark = spelled(name)
        return mark + "_" * (length - len(mark)) if length > len(mark) else None

    return substituted(text, padded)
