"""An evidence bundle is noticed to be changed, and nothing in it unfolds, leads out or stands twice."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable

import pytest

from payproof.contracts.model import PayproofError
from payproof.contracts.results.evidence import MANIFEST, Bundle, pack, unpack

FILES = {"run.jsonl": b'{"payproof": "run"}\n', "report.json": b"{}\n", "report.html": b"<p>"}
MANY, ARCHIVE = pack(FILES, {"seed": 3}, version="1")


def again(data: bytes) -> Bundle:
    return unpack(data, place="evidence.zip")


def rezipped(change: Callable[[dict[str, bytes]], object], kind: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(io.BytesIO(ARCHIVE)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, kind)
    return out.getvalue()


def test_the_same_files_give_the_same_bytes_in_any_order() -> None:
    assert pack(dict(reversed(FILES.items())), {"seed": 3}, version="1")[1] == ARCHIVE
    assert again(ARCHIVE).problems == ()
    assert again(ARCHIVE).files == FILES


def noticed(data: bytes) -> bool:
    """Refused with a message, or told as a problem."""
    try:
        return bool(again(data).problems)
    except PayproofError as refused:
        return refused.message.startswith("not an evidence bundle")


def test_each_single_byte_that_is_changed_is_noticed() -> None:
    unseen = [
        at for at, byte in enumerate(ARCHIVE) if not noticed(ARCHIVE[:at] + bytes([byte ^ 0x20]) + ARCHIVE[at + 1 :])
    ]
    assert unseen == []


@pytest.mark.parametrize("more", [b"x", b"PK", bytes(100)])
def test_bytes_before_and_behind_the_archive_are_noticed(more: bytes) -> None:
    assert noticed(more + ARCHIVE)
    assert noticed(ARCHIVE + more)
    assert not noticed(ARCHIVE)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_missing_or_added_file_is_named(name: str) -> None:
    at = ARCHIVE.index(FILES[name])
    flipped = ARCHIVE[:at] + bytes([ARCHIVE[at] ^ 1]) + ARCHIVE[at + 1 :]
    assert again(flipped).problems == (f"{name} was changed",)
    assert f"{name} is missing" in again(rezipped(lambda files: files.pop(name))).problems
    assert "more.txt was added" in again(rezipped(lambda files: files.update({"more.txt": b""}))).problems


def test_a_manifest_that_does_not_fit_its_own_chain_is_noticed() -> None:
    def shorten(files: dict[str, bytes]) -> None:
        files[MANIFEST] = files[MANIFEST].replace(b'"seed": 3', b'"seed": 4')

    assert again(rezipped(shorten)).problems == ("manifest.json was changed: its chain of digests is broken",)


@pytest.mark.parametrize("name", ["../up", "/root", "a/../b", "C:x", "a\\b", "./a", "a//b", "a\nb"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(PayproofError, match="name"):
        again(rezipped(lambda files: files.update({name: b""})))


def test_files_that_stand_twice_are_refused() -> None:
    out = io.BytesIO(ARCHIVE)
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("REPORT.json", b"other")
    with pytest.raises(PayproofError, match="stands twice"):
        again(out.getvalue())


def test_what_would_unfold_is_refused_before_it_is_read() -> None:
    with pytest.raises(PayproofError, match=r"compressed|larger than itself"):
        again(rezipped(lambda files: files.update({"bomb": bytes(1 << 20)}), zipfile.ZIP_DEFLATED))


def test_files_that_lie_over_one_another_are_refused() -> None:
    """A central directory whose many entries all name one large file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("big", bytes(1 << 16))
        first = archive.filelist[0]
        for n in range(20):
            copy = zipfile.ZipInfo(f"big{n}")
            copy.file_size = copy.compress_size = first.file_size
            copy.CRC, copy.header_offset, copy.compress_type = first.CRC, first.header_offset, first.compress_type
            archive.filelist.append(copy)
    with pytest.raises(PayproofError, match="larger than itself"):
        again(out.getvalue())


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"not a zip at all" * 40, b"PK\x03\x04" + bytes(60)])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(PayproofError, match="no zip archive"):
        again(data)


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"{}", b'{"payproof": "evidence", "format": 2}', b"[" * 10_000])
def test_an_archive_without_a_manifest_that_can_be_read_is_refused(text: bytes) -> None:
    with pytest.raises(PayproofError, match=r"manifest\.json"):
        again(rezipped(lambda files: files.update({MANIFEST: text})))
    with pytest.raises(PayproofError, match="it has no manifest"):
        again(rezipped(lambda files: files.pop(MANIFEST)))
