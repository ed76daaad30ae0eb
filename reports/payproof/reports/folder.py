"""The report folder: every format in a file of its own, and the run itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from payproof.contracts import files
from payproof.contracts.model import PayproofError, Result
from payproof.contracts.run import Run, dump
from payproof.reports.formats import html
from payproof.reports.registry import WRITERS
from payproof.reports.since import Since, since

RUN_FILE = "run.jsonl"


def usual() -> tuple[str, ...]:
    """What is written when nobody says which formats are wanted."""
    return tuple(name for name, writer in WRITERS.items() if writer.usual)


def write_all(result: Result, run: Run, folder: Path, names: Iterable[str] | None = None) -> dict[str, Path]:
    """Write the named formats (None: the usual ones), and always the run itself (``run``), which can be judged again.

    Returns:
        Name of the format -> the file written.

    Raises:
        PayproofError: a format that does not exist, or a folder that cannot be written or is a link out of the project.
    """
    chosen = usual() if names is None else tuple(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in WRITERS]:
        raise PayproofError(
            f'unknown report format "{unknown[0]}"', place=unknown[0], remedy=f"payproof knows: {', '.join(WRITERS)}"
        )
    before = since(folder, result)
    texts = {name: (WRITERS[name].filename, _rendered(name, result, run, before)) for name in chosen}
    texts["run"] = (RUN_FILE, dump(run))
    return {name: files.write(folder / filename, text) for name, (filename, text) in texts.items()}


def _rendered(name: str, result: Result, run: Run, before: Since | None) -> str:
    return html.page(result, run, before) if name == "html" else WRITERS[name].render(result, run)
