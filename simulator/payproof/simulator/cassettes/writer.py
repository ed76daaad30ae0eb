"""Writes a cassette: everything that the relay taped, redacted, in VCR's own format, as one file at the end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from payproof.contracts import __version__
from payproof.contracts.entries import Headers, Request, Response
from payproof.contracts.files import refuse_links
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.contracts.redaction.secret_search import SHORTEST_PART
from payproof.contracts.redaction.secrets import spellings
from payproof.simulator.cassettes.library import vcr
from payproof.simulator.cassettes.reading import operation_of
from payproof.simulator.cassettes.redaction import Redaction, without
from payproof.simulator.cassettes.stamp import FORMAT, KEY, Redacted, Stamp
from payproof.simulator.relay.sandbox_exchange import SandboxExchange

_NOT_ASKED = ("accept-encoding", "connection", "keep-alive", "te", "expect", "transfer-encoding", "content-length")
_NOT_ANSWERED = ("content-encoding", "transfer-encoding", "connection", "keep-alive", "content-length")


@dataclass(frozen=True, slots=True)
class CassetteFile:
    path: Path
    stamp: Stamp


class CassetteWriter:
    """Collects exchanges; ``take`` is a ``Tape``. ``known``: (kind, value) of secrets that the run knows: credentials, payers.

    ``base_url``: the sandbox's. ``checkout``: origin of its hosted checkout, where that has one of its own.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        base_url: str,
        seed: int,
        known: Iterable[tuple[str, str]] = (),
        checkout: str = "",
    ) -> None:
        self._profile, self._seed, self._checkout = profile, seed, checkout
        parts = urlsplit(base_url)
        self._upstream = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._base_path = parts.path.rstrip("/")
        self._known = tuple(known)
        self._taped: list[SandboxExchange] = []
        self._began = datetime.now(UTC)

    def take(self, taped: SandboxExchange) -> None:
        """One more exchange, in the order in which they end."""
        self._taped.append(taped)

    def write(self, path: Path, *, force: bool = False) -> CassetteFile:
        """Redact, and write the file at once and whole.

        Raises:
            PayproofError: nothing was taped, the file is there already, or it cannot be written.
        """
        if not self._taped:
            raise PayproofError(
                "there is nothing to record: not one exchange reached the sandbox",
                place=str(path),
                remedy="see what the run says of the integration; nothing was written",
            )
        refuse_existing(path, force=force)
        redaction = Redaction(self._profile, self._base_path, self._known)
        redaction.learn(self._taped)
        interactions = [self._interaction(each, redaction) for each in self._taped]
        stamp = self._stamp(redaction.summary())
        text = _yaml(interactions, stamp, [self._note(each) for each in self._taped])
        _refuse_leaks(text, interactions, redaction.secrets(), path)
        _write(path, text)
        return CassetteFile(path, stamp)

    def _interaction(self, taped: SandboxExchange, redaction: Redaction) -> tuple[Request, Response]:
        asked, answer = redaction.request(taped), redaction.response(taped)
        headers = without(asked.headers, _NOT_ASKED)
        if asked.body:
            headers = (*headers, ("Content-Length", str(len(asked.body.encode()))))
        asked = Request(method=asked.method, url=_public(asked.url), headers=headers, body=asked.body)
        length = (("Content-Length", str(answer.size)),) if answer.body or answer.status not in (204, 304) else ()
        answer = Response(
            status=answer.status,
            headers=(*without(answer.headers, _NOT_ANSWERED), *length),
            body=answer.body,
            size=answer.size,
        )
        return asked, answer

    def _note(self, taped: SandboxExchange) -> dict[str, Any]:
        operation = operation_of(self._profile, taped.request, self._base_path) if taped.kind == "api" else ""
        return {"kind": taped.kind, "story": taped.probe, "operation": operation, "at": round(taped.at, 3)}

    def _stamp(self, redacted: Mapping[str, Redacted]) -> Stamp:
        return Stamp(
            format=FORMAT,
            recorded_at=self._began.isoformat(timespec="seconds"),
            gateway=self._profile.name,
            profile_version=self._profile.version,
            upstream=self._upstream,
            base_path=self._base_path,
            seed=self._seed,
            version=__version__,
            stories=tuple(dict.fromkeys(each.probe for each in self._taped if each.probe)),
            exchanges=len(self._taped),
            redacted=redacted,
            checkout=self._checkout,
        )


def refuse_existing(path: Path, *, force: bool) -> None:
    """Better told before a recording than after it.

    Raises:
        PayproofError: the file is there, and nobody said that it may be replaced; or its name is a folder's.
    """
    if path.is_dir():
        raise PayproofError("this is a folder", place=str(path), remedy="name a file: --out cassettes/sandbox.yaml")
    if path.exists() and not force:
        raise PayproofError(
            "this cassette is there already", place=str(path), remedy="replace it with --force, or name another --out"
        )


def _public(url: str) -> str:
    """``url`` without a user's name and password before the host."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url


class _Stamping:
    """A serializer for VCR that adds the stamp, and to each exchange its note."""

    def __init__(self, stamp: Stamp, notes: Iterable[Mapping[str, Any]]) -> None:
        self.stamp, self.notes = stamp, tuple(notes)

    def serialize(self, data: dict[str, Any]) -> str:
        noted = [{**each, KEY: dict(note)} for each, note in zip(data["interactions"], self.notes, strict=True)]
        text: str = vcr("serializers.yamlserializer").serialize(
            {**data, "interactions": noted, KEY: self.stamp.plain()}
        )
        return text


def _yaml(interactions: Iterable[tuple[Request, Response]], stamp: Stamp, notes: Iterable[Mapping[str, Any]]) -> str:
    make = vcr("request").Request
    requests: list[Any] = []
    responses: list[dict[str, Any]] = []
    for asked, answer in interactions:
        requests.append(make(asked.method, _text(asked.url), _text(asked.body) or None, _single(asked.headers)))
        responses.append(
            {
                "status": {"code": answer.status, "message": _phrase(answer.status)},
                "headers": _listed(answer.headers),
                "body": {"string": _text(answer.body)},
            }
        )
    cassette = {"requests": requests, "responses": responses}
    text: str = vcr("serialize").serialize(cassette, _Stamping(stamp, notes))
    return text


def _text(text: str) -> str:
    """What a UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _single(headers: Headers) -> dict[str, str]:
    """VCR keeps one value for each name of a request's header."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        key, before = found.get(name.lower(), (name, ""))
        joint = "; " if name.lower() == "cookie" else ", "
        found[name.lower()] = (key, f"{before}{joint}{value}" if before else value)
    return {key: _text(value) for key, value in found.values()}


def _listed(headers: Headers) -> dict[str, list[str]]:
    names: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(names.setdefault(name.lower(), name), []).append(_text(value))
    return found


def _refuse_leaks(
    text: str, interactions: Iterable[tuple[Request, Response]], secrets: Iterable[tuple[str, str]], path: Path
) -> None:
    """The last look before anything is on the disk. It cannot fail while the redaction works."""
    everything = "\n".join([text, *(f"{asked!r}\n{answer!r}" for asked, answer in interactions)])
    for name, value in secrets:
        if len(value) >= SHORTEST_PART and any(spelled in everything for _, spelled in spellings(value)):
            raise PayproofError(
                f"{name} would have been written in clear; nothing was written",
                place=str(path),
                remedy="this is payproof's own fault: please report it",
            )


def _write(path: Path, text: str) -> None:
    """Whole or not at all.

    Raises:
        PayproofError: the folder cannot be written, or is a link out of the project.
    """
    refuse_links(path.parent)
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise PayproofError(
            f"the cassette cannot be written: {error.strerror or error}", place=str(path), remedy="name another --out"
        ) from None
