"""The target ``cassette``: which recording is replayed, and how old it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from payproof.contracts.entries import Checkout
from payproof.contracts.journal import Journal
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Payer
from payproof.simulator import Target
from payproof.simulator.cassettes import stamp as stamps
from payproof.simulator.cassettes.player import Cassette, unstamped
from payproof.simulator.cassettes.reading import Recording, read
from payproof.simulator.cassettes.stamp import Stamp
from payproof.suites.config import Config
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import HostedTab, Tab
from payproof.suites.session.progress import Progress


def path_of(config: Config) -> Path:
    """Where the configuration keeps its cassette."""
    return config.folder / (config.cassettes.path or f"cassettes/{config.gateway}.yaml")


def recording_of(config: Config) -> tuple[Recording, Stamp]:
    """The recording that this configuration replays, with its stamp.

    Raises:
        PayproofError: there is none, it cannot be read, payproof did not write it, or it is of another gateway.
    """
    path = path_of(config)
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    recording = _read(path, changed)
    if recording.stamp is None:
        raise unstamped(recording)
    if recording.stamp.gateway != config.gateway:
        raise PayproofError(
            f'this cassette is a recording of "{recording.stamp.gateway}", and the configuration says gateway = "{config.gateway}"',
            place=str(path),
            remedy=f'set gateway = "{recording.stamp.gateway}", or record this gateway with `payproof record`',
        )
    return recording, recording.stamp


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Recording:
    return read(path)


class Recordings:
    """A cassette for each world; a ``Source`` of targets."""

    shares_clock = False

    def __init__(self, config: Config, progress: Progress) -> None:
        self.config = config
        self.payers: Mapping[str, Payer] = config.profile.payers
        self._recording, self._stamp = recording_of(config)
        self._age = self._stamp.age(datetime.now(UTC))
        self._stale = self._age > stamps.span(config.cassettes.max_age)
        progress.note(
            f"target: {self._shown}, recorded from {self._stamp.upstream} {stamps.age_in_words(self._age)} ago"
        )
        if self._stale:
            progress.note(
                f"warning: the recording is older than {config.cassettes.max_age}; record again with `payproof record --force`"
            )
        if self._stamp.profile_version != config.profile.version:
            progress.note(
                f"warning: it was recorded with version {self._stamp.profile_version} of the profile, "
                f"this is {config.profile.version}"
            )

    @property
    def _shown(self) -> str:
        path = path_of(self.config)
        return str(path.relative_to(self.config.folder)) if path.is_relative_to(self.config.folder) else str(path)

    def target(self, journal: Journal, seed: int) -> Target:
        given = None if self.config.integration.command else self.config.simulator
        return Cassette(
            self._recording,
            journal=journal,
            seed=seed,
            client_id=given.client_id if given else None,
            secret_key=given.secret_key if given else None,
        )

    def tab(self, target: Target, customer: Customer, payer: Payer, checkout: Checkout) -> Tab:
        return HostedTab(customer, payer, checkout.order)

    def account(self) -> Mapping[str, Json]:
        return {
            "cassette": {
                "path": self._shown,
                "recorded_at": self._stamp.recorded_at,
                "age": stamps.age_in_words(self._age),
                "max_age": self.config.cassettes.max_age,
                "stale": self._stale,
                "upstream": self._stamp.upstream,
                "exchanges": self._stamp.exchanges,
                "stories": list(self._stamp.stories),
            }
        }

    async def aclose(self) -> None:
        """Each cassette is its world's."""
