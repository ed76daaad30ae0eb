"""``payproof replay``: repeat a story that `payproof explore` wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from payproof.contracts.model import PayproofError
from payproof.suites.commands import options
from payproof.suites.commands.explore import BROKEN, HOLDS, NOT_SCORED, needs_hypothesis
from payproof.suites.commands.run import configuration
from payproof.suites.commands.short_forms import Flags

if TYPE_CHECKING:
    from payproof.reports.text_output import TextOutput
    from payproof.suites.config import Config
    from payproof.suites.explorer.file import StoryFile
    from payproof.suites.explorer.origin import StoryOrigin
    from payproof.suites.explorer.playing import Played


@click.command()
@click.argument("story_file", metavar="STORY.json", type=click.Path(path_type=Path))
@options.config
@click.option("--any-config", is_flag=True, help="Replay it also with another configuration than its own.")
@options.recipe
def replay(story_file: Path, config_path: Path | None, any_config: bool, **flags: Any) -> int:
    """Repeat a written story, step by step, on a newly started integration, or on one that already runs.

    Without --config, the configuration that it was found with. Another one is refused: that the story breaks nothing
    at another shop says nothing.

    Exit codes: 0 the story breaks nothing any more, 1 it still does, 2 that cannot be said, 130 interrupted.
    """
    needs_hypothesis()
    from payproof.reports.text_output import TextOutput
    from payproof.suites.explorer import file

    written = file.read(story_file)
    config, place = _config(story_file, written, config_path, Flags(**flags), any_config=any_config)
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
    output = TextOutput(Console(file=sys.stdout))
    if written.found_with is None:
        output.say("the story does not say with which configuration it was found: an older payproof wrote it")
    output.say(f"plays {config.integration.name} of {place} (gateway {config.gateway})")
    return _report(output, _played(config, written), written)


def _config(
    story: Path, written: StoryFile, path: Path | None, flags: Flags, *, any_config: bool
) -> tuple[Config, Path | str]:
    """The configuration to play with, and where it stands; the story's own where none is named.

    Raises:
        PayproofError: it is not the one that the story was found with, or cannot be used.
    """
    from payproof.suites.explorer import origin

    found = written.found_with
    if path is None and flags.whole:
        config: Config = configuration(None, flags)
        place: Path | str = "the command line"
    elif path is not None or found is None:
        config = configuration(path, flags)
        place = path or config.folder
    else:
        return _own(story, found, flags, any_config=any_config)
    if found is not None and not any_config and origin.fingerprint(config) != found.digest:
        raise origin.refused(found, story, f"{place} (gateway {config.gateway})", "its integration is not the same")
    return config, place


def _own(story: Path, found: StoryOrigin, flags: Flags, *, any_config: bool) -> tuple[Config, Path]:
    """The story's own configuration: where it says, or in this folder when the story was carried elsewhere."""
    from payproof.suites.explorer import origin

    tried: list[str] = []
    for path in dict.fromkeys((found.where(story), None)):
        try:
            config = configuration(path, flags)
        except PayproofError as error:
            tried.append(f"{path or Path.cwd()}: {error.message}")
            continue
        if any_config or origin.fingerprint(config) == found.digest:
            return config, path or config.folder
        tried.append(f"{path or config.folder} (gateway {config.gateway}): its integration is not the same")
    raise origin.refused(found, story, "tried", "; ".join(dict.fromkeys(tried)))


def _played(config: Config, written: StoryFile) -> Played:
    from payproof.suites.commands.loop import run_async
    from payproof.suites.explorer.explorer_session import opened
    from payproof.suites.explorer.playing import Care, play

    async def work() -> Played:
        async with opened(config, written.seed) as stage:
            ground = await stage.open()
            await stage.warm(ground)
            return (await play(stage, ground, written.story, Care.ACCUSING))[0]

    return run_async(work())


def _report(output: TextOutput, played: Played, written: StoryFile) -> int:
    from payproof.suites.explorer import story_progress
    from payproof.suites.explorer.oracle import Truth

    if played.truth is Truth.FALSE:
        story_progress.found(output, played)
        output.say(f"the story still breaks {', '.join(dict.fromkeys(each.rule for each in played.broken))}")
        return BROKEN
    if played.truth is Truth.UNKNOWN:
        story_progress.unknown(output, played.rulings, played.problem)
        return NOT_SCORED
    output.say(f"the story breaks nothing any more (it broke {', '.join(dict.fromkeys(written.rules))})")
    return HOLDS
