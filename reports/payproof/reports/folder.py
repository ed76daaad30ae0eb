"""The report folder: every format in a file of its own, and the run itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from payproof.contracts.model import PayproofError, Result
from payproof.contracts.run import Run, dump
from payproof.reports.registry import WRITERS

RUN_FILE = "run.jsonl"


def write_all(result: Result, run: Run, folder: Path, names: Iterable[str] | None = None) -> dict[str, Path]:
    """Write the named formats (None: all), and always the run itself (``run``), which can be judged again.

    Returns:
        Name of the format -> the file written.

    Raises:
        PayproofError: a format that does not exist, or a folder that cannot be written.
    """
    chosen = tuple(WRITERS) if names is None else tuple(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in WRITERS]:
        raise PayproofError(
            f'unknown report format "{unknown[0]}"', place=unknown[0], remedy=f"payproof knows: {', '.join(WRITERS)}"
        )
    texts = {name: (WRITERS[name].filename, WRITERS[name].render(result, run)) for name in chosen}
    texts["run"] = (RUN_FILE, dump(run))
    return {name: _write(folder / filename, text) for name, (filename, text) in texts.items()}


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise PayproofError(
            f"cannot write the report: {error.strerror or error}",
            place=str(path),
            remedy="name a folder that can be written, with enough space left",
        ) from None
    return path
