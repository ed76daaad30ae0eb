"""Which configuration a story was found with: a story about one shop says nothing about another."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from payproof.contracts.model import Json, PayproofError
from payproof.contracts.run import digest
from payproof.suites.config import Config

_NO_MATTER = frozenset({"name", "ready_timeout", "source"})
"""Of the integration's table: what changes nothing of how a story goes."""


@dataclass(frozen=True, slots=True)
class StoryOrigin:
    """``path``: the configuration's file or folder, from the story's folder; empty: the command line alone.
    ``digest``: of what matters to a story."""

    path: str
    digest: str

    def plain(self) -> dict[str, Json]:
        return {"path": self.path, "digest": self.digest}

    def where(self, story: Path) -> Path | None:
        """The configuration, seen from here; None when there was none but the command line."""
        return Path(os.path.normpath(story.parent / self.path)) if self.path else None


def origin(config: Config, path: Path | None, story_folder: Path) -> StoryOrigin:
    """How a story remembers its configuration. ``path``: its file or folder; None: the command line alone."""
    return StoryOrigin(_seen_from(story_folder, path) if path else "", fingerprint(config))


def _seen_from(folder: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()


def fingerprint(config: Config) -> str:
    """A digest of the integration's table and the gateway, as far as they are not the defaults."""
    table = config.integration.model_dump(mode="json", exclude_defaults=True)
    matters = {key: value for key, value in table.items() if key not in _NO_MATTER}
    return digest(json.dumps([config.gateway, matters], sort_keys=True))


def read(raw: Json) -> StoryOrigin | None:
    """From a story file; None: an older payproof wrote it, which noted nothing.

    Raises:
        ValueError: not what ``plain`` wrote.
    """
    if raw is None:
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("path"), str) or not isinstance(raw.get("digest"), str):
        raise ValueError("the configuration is a path and a digest")
    return StoryOrigin(str(raw["path"]), str(raw["digest"]))


def refused(found: StoryOrigin, story: Path, tried: str, reason: str) -> PayproofError:
    """The story belongs to another configuration than the one that is there."""
    was = found.where(story) or "the command line alone"
    return PayproofError(
        f"the story was found with another configuration ({was}); {tried}: {reason}",
        place=str(story),
        remedy="name the right one with --config PATH (and the options that were given with it), "
        "or insist on this one with --any-config",
    )
