"""An evidence bundle: one zip of report files and a manifest, in which each file's digest is chained to those before it.

Entries are stored and not compressed, with nothing of the machine or the hour: the same files give the same bytes anywhere, nothing can
unfold to more than it is, and an archive can be held byte for byte against what its files would give.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from payproof.contracts import bounded
from payproof.contracts.model import Json, PayproofError

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
LARGEST, MOST = 512 << 20, 1000
"""Bytes of an archive, and files in it, beyond which it is not read."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REMEDY = "give what `payproof bundle` wrote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A file as the manifest tells of it. ``chain``: the digest of this line and of all before it."""

    name: str
    size: int
    sha256: str
    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was packed. ``digest``: the end of the chain, which stands for the whole."""

    payproof: Literal["evidence"]
    format: Literal[1]
    version: str
    run: dict[str, Json]
    files: tuple[Packed, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """An archive that was read. ``problems``: one sentence for each thing that is not as it was packed."""

    manifest: Manifest
    manifest_bytes: bytes
    signature: bytes | None
    files: Mapping[str, bytes]
    problems: tuple[str, ...]


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def pack(
    files: Mapping[str, bytes],
    run: Mapping[str, Json],
    *,
    version: str,
    sign: Callable[[bytes], bytes] | None = None,
) -> tuple[Manifest, bytes]:
    """The manifest and the archive.

    Args:
        files: name -> content.
        run: what the manifest says of the run.
        version: the payproof that packs.
        sign: gives a signature of the manifest's bytes.
    """
    ordered = {name: files[name] for name in sorted(files)}
    chained = tuple(_chained(run, ((name, len(data), _sha256(data)) for name, data in ordered.items())))
    end = chained[-1].chain if chained else _first(run)
    manifest = Manifest(payproof="evidence", format=1, version=version, run=dict(run), files=chained, digest=end)
    text = (json.dumps(_MANIFEST.dump_python(manifest), indent=1, ensure_ascii=True) + "\n").encode()
    signature = {SIGNATURE: sign(text)} if sign else {}
    return manifest, _zipped({MANIFEST: text, **signature, **ordered})


def unpack(data: bytes, *, place: str) -> Bundle:
    """Read an archive, and hold it against its manifest.

    Raises:
        PayproofError: it is none that payproof would write: no zip, without a manifest, compressed, too large, with names that
            lead out of a folder or stand twice.
    """
    found = _entries(data, place)
    if MANIFEST not in found:
        raise _refused(f"it has no {MANIFEST}", place)
    text = found.pop(MANIFEST)
    signature = found.pop(SIGNATURE, None)
    manifest = _manifest(text, place)
    problems = tuple(_problems(manifest, found))
    whole = {MANIFEST: text, **({} if signature is None else {SIGNATURE: signature}), **dict(sorted(found.items()))}
    if not problems and (again := _zipped(whole)) != data:
        at = next((n for n, (one, other) in enumerate(zip(data, again, strict=False)) if one != other), len(again))
        problems = (f"the archive was changed at byte {at}{_within(data, at, place)}",)
    return Bundle(manifest=manifest, manifest_bytes=text, signature=signature, files=found, problems=problems)


def _problems(manifest: Manifest, found: Mapping[str, bytes]) -> Iterator[str]:
    listed = {each.name: each for each in manifest.files}
    for name in listed:
        if name not in found:
            yield f"{name} is missing"
        elif (len(found[name]), _sha256(found[name])) != (listed[name].size, listed[name].sha256):
            yield f"{name} was changed"
    for name in found:
        if name not in listed:
            yield f"{name} was added"
    chained = tuple(_chained(manifest.run, ((each.name, each.size, each.sha256) for each in manifest.files)))
    end = chained[-1].chain if chained else _first(manifest.run)
    if len(listed) != len(manifest.files) or chained != manifest.files or end != manifest.digest:
        yield f"{MANIFEST} was changed: its chain of digests is broken"


def _chained(run: Mapping[str, Json], files: Iterator[tuple[str, int, str]]) -> Iterator[Packed]:
    link = _first(run)
    for name, size, sha256 in files:
        link = _sha256(json.dumps([link, name, size, sha256], ensure_ascii=True).encode())
        yield Packed(name=name, size=size, sha256=sha256, chain=link)


def _first(run: Mapping[str, Json]) -> str:
    return _sha256(json.dumps(["payproof evidence 1", dict(run)], sort_keys=True, ensure_ascii=True).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def _entries(data: bytes, place: str) -> dict[str, bytes]:
    if len(data) > LARGEST:
        raise _refused(f"it has {len(data):,} bytes, and more than {LARGEST:,} are not read", place)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error, IndexError) as error:
        raise _refused(f"it is no zip archive, or a broken one ({str(error)[:100]})", place) from None
    if len(infos) > MOST:
        raise _refused(f"it has {len(infos):,} files, and more than {MOST:,} are not read", place)
    if sum(info.file_size for info in infos) > len(data):
        raise _refused("its files would be larger than itself", place)
    found: dict[str, bytes] = {}
    for info in infos:
        if why := _unfit(info, {name.casefold() for name in found}):
            raise _refused(f"{info.orig_filename[:100]!r} {why}", place)
        found[info.filename] = _stored(data, info, place)
    return found


def _unfit(info: zipfile.ZipInfo, known: set[str]) -> str:
    """Why an entry is none that payproof writes."""
    name = info.orig_filename
    if name != info.filename or "\\" in name or ":" in name or any(part in ("", ".", "..") for part in name.split("/")):
        return "is a name that leads out of a folder"
    if not name.isprintable() or len(name) > 200:
        return "is no name of a report file"
    if name.casefold() in known:
        return "stands twice in it"
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        return "is compressed, and payproof stores files as they are"
    if info.flag_bits & 0x41:
        return "is encrypted"
    return ""


def _stored(data: bytes, info: zipfile.ZipInfo, place: str) -> bytes:
    """An entry's bytes, also where its checksum does not agree: the manifest tells whether they are the right ones."""
    start = info.header_offset
    head = data[start : start + 30] if start >= 0 else b""
    if len(head) < 30 or not head.startswith(b"PK\x03\x04"):
        raise _refused(f"{info.filename[:100]!r} is not where the archive says", place)
    name, extra = struct.unpack("<HH", head[26:30])
    begin = start + 30 + name + extra
    if begin + info.file_size > len(data):
        raise _refused(f"{info.filename[:100]!r} is larger than the archive", place)
    return data[begin : begin + info.file_size]


def _within(data: bytes, at: int, place: str) -> str:
    """Which of the archive's own two files a byte lies in; the others are known by the manifest."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.filename in (MANIFEST, SIGNATURE) and zlib.crc32(_stored(data, info, place)) != info.CRC:
                return f": {info.filename} was changed"
    return ", outside its files"


def _manifest(text: bytes, place: str) -> Manifest:
    try:
        return _MANIFEST.validate_python(bounded.parse(text.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"])
        raise _refused(f"its {MANIFEST} is none: {where}: {first['msg'][:200]}", place) from None
    except ValueError as error:
        raise _refused(f"its {MANIFEST} is none: {str(error)[:200]}", place) from None


def _refused(why: str, place: str) -> PayproofError:
    return PayproofError(f"not an evidence bundle of payproof: {why}", place=place, remedy=_REMEDY)
