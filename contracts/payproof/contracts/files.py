"""Files that payproof writes: whole or not at all, and never through a link that somebody else laid."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from payproof.contracts.model import PayproofError


def write(path: Path, text: str, *, remedy: str = "name a folder that can be written, with enough space left") -> Path:
    """Write ``text`` as UTF-8 into a new file and put it in the place of ``path``; a link there is replaced, not followed.

    Raises:
        PayproofError: it cannot be written, or its folder is a link out of the project.
    """
    return write_bytes(path, text.encode("utf-8", "replace"), remedy=remedy)


def write_bytes(
    path: Path, data: bytes, *, remedy: str = "name a folder that can be written, with enough space left"
) -> Path:
    """``write``, for what is no text."""
    refuse_links(path.parent)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("xb") as file:
            file.write(data)
        os.replace(fresh, path)
    except OSError as error:
        raise PayproofError(
            f"this file cannot be written: {error.strerror or error}", place=str(path), remedy=remedy
        ) from None
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    return path


def refuse_links(folder: Path) -> None:
    """A folder that stands below the current one must lie there, too: whoever sent a change could have made it a link.

    Raises:
        PayproofError: it leads elsewhere.
    """
    here = Path(os.path.abspath(folder))
    base = Path.cwd()
    if here.is_relative_to(base) and not here.resolve().is_relative_to(base.resolve()):
        raise PayproofError(
            "this folder is a link that leads out of the project, and nothing is written through it",
            place=str(folder),
            remedy="remove the link, or name the folder itself",
        )


def regular_within(path: Path, folder: Path) -> bool:
    """A regular file that lies in ``folder`` or below it, links followed: no device, no pipe, nothing of /proc."""
    try:
        whole = path.resolve(strict=True)
        return whole.is_file() and whole.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def fixed_part(pattern: Path) -> Path:
    """The folder that a pattern with wildcards cannot leave."""
    parts = pattern.parts[:-1]
    wild = next((place for place, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    return Path(*parts[:wild])


def special(path: Path) -> bool:
    """No file that holds data of its own: a device, a pipe, a socket, or the system's own tables."""
    try:
        whole = path.resolve()
        there = whole.exists()
        return any(whole.is_relative_to(place) for place in ("/proc", "/sys", "/dev")) or (
            there and not whole.is_file()
        )
    except (OSError, RuntimeError, ValueError):
        return True


def read(path: Path, *, says: str, largest: int, remedy: str) -> str:
    """The text of a regular file.

    Args:
        says: how the message begins: "cannot read the run".
        largest: bytes; more is refused before it is read.

    Raises:
        PayproofError: it cannot be read, is too large, is no regular file, or no UTF-8.
    """
    try:
        size = path.stat().st_size
        if not path.is_file() or special(path):
            raise OSError(0, "it is not a regular file")
        if size > largest:
            raise OSError(0, f"it has {size:,} bytes, and more than {largest:,} are not read")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"{says}: it is not UTF-8 text: byte {error.start} cannot be read"
        raise PayproofError(problem, place=str(path), remedy=remedy) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise PayproofError(f"{says}: {why or error}", place=str(path), remedy=remedy) from None
    return text
