"""``payproof replay``: repeat a story that `payproof explore` wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from payproof.contracts.model import PayproofError
from payproof.suites.commands import options
from payproof.suites.commands.explore import BROKEN, HOLDS, NOT_SCORED, needs_hypothesis, unscored
from payproof.suites.commands.run import configuration
from payproof.suites.recipe import Flags

if TYPE_CHECKING:
    from payproof.suites.config import Config
    from payproof.suites.explorer.file import Written
    from payproof.suites.explorer.playing import Played


@click.command()
@click.argument("story_file", metavar="STORY.json", type=click.Path(path_type=Path))
@options.config
@options.recipe
def replay(story_file: Path, config_path: Path | None, **flags: Any) -> int:
    """Repeat a written story, step by step, on a newly started integration, or on one that already runs.

    Exit codes: 0 the story breaks nothing any more, 1 it still does, 2 that cannot be said, 130 interrupted.
    """
    needs_hypothesis()
    from payproof.suites.explorer import file

    config = configuration(config_path, Flags(**flags))
    written = file.read(story_file)
    if written.gateway != config.gateway:
        raise PayproofError(
            f'the story is about the gateway "{written.gateway}", the configuration about "{config.gateway}"',
            place=str(story_file),
            remedy="replay it with the configuration that it was found with",
        )
    if not config.integration.command and any(act.do in ("restart", "rotate") for act in written.story.acts):
        raise PayproofError(
            "the story restarts the integration or replaces its secret key, and this one was started by somebody else",
            place=str(story_file),
            remedy="replay it with a configuration that has integration.command",
        )
    return _tell(_played(config, written), written)


def _played(config: Config, written: Written) -> Played:
    from payproof.suites.commands.loop import run_async
    from payproof.suites.explorer.playing import Care, play
    from payproof.suites.explorer.stage import opened

    async def work() -> Played:
        async with opened(config, written.seed) as stage:
            ground = await stage.open()
            await stage.warm(ground)
            return (await play(stage, ground, written.story, Care.ACCUSING))[0]

    return run_async(unscored(work()))


def _tell(played: Played, written: Written) -> int:
    from payproof.reports.paper import Paper
    from payproof.suites.explorer import telling
    from payproof.suites.explorer.oracle import Truth

    paper = Paper(Console(file=sys.stdout))
    if played.truth is Truth.FALSE:
        telling.found(paper, played)
        paper.say(f"the story still breaks {', '.join(dict.fromkeys(each.rule for each in played.broken))}")
        return BROKEN
    if played.truth is Truth.UNKNOWN:
        telling.unknown(paper, played.rulings, played.problem)
        return NOT_SCORED
    paper.say(f"the story breaks nothing any more (it broke {', '.join(dict.fromkeys(written.rules))})")
    return HOLDS
