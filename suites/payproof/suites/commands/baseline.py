"""``--write-baseline``: what fails in this run becomes what is accepted for now."""

from __future__ import annotations

from datetime import date

from payproof.contracts.model import Outcome, Result
from payproof.contracts.run import Run
from payproof.suites.commands import verdict
from payproof.suites.config import Config, with_baseline
from payproof.suites.config.baseline_file import NAME, rewritten


def write(run: Run, config: Config, result: Result) -> tuple[Result, list[str]]:
    """Write the file, and judge the run by it.

    Args:
        result: of this run, judged with the entries that there were.

    Returns:
        The result with the entries that hold now, and what is to be said of the file.

    Raises:
        PayproofError: it cannot be written.
    """
    if result.outcome is Outcome.NOT_SCORED:
        return result, [f"\n{NAME} was not written: nothing was scored"]
    own = tuple(entry for entry in config.baseline if not entry.place.startswith(NAME))
    entries = rewritten(own, config.folder, config.profile.checklist.all_requirements(), result, date.today())
    open_ = [entry.check for entry in entries if entry.missing]
    file = config.folder / NAME
    count = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
    lines = [f"\nBaseline\n  {file}: {count}" if file.exists() else f"\nBaseline\n  nothing to accept: no {NAME}"]
    if open_:
        lines += [
            f"  write reason and owner of {', '.join(open_)}; until then nothing is accepted there, and payproof refuses the file"
        ]
    fresh = with_baseline(config.model_copy(update={"baseline": own}), drafts=True)
    return verdict.judged(run, fresh), lines
