"""A run on a recording does what was recorded. Loaded for such a run alone: what reads cassettes is a tenth of all that a run loads."""

from __future__ import annotations

from dataclasses import replace

from payproof.contracts.model import PayproofError
from payproof.suites.config import Config
from payproof.suites.probes import probes
from payproof.suites.run.plan import Options
from payproof.suites.session.cassette_source import path_of, recording_of


def as_recorded(config: Config, options: Options) -> Options:
    """The options of a run that does what was recorded: its seed, so that customers want the same; its probes and no other.

    Raises:
        PayproofError: another seed was asked for.
    """
    _, stamp = recording_of(config)
    if options.seed not in (None, stamp.seed):
        raise PayproofError(
            f"this recording was made with the seed {stamp.seed}, and no other can be replayed",
            place=f"--seed {options.seed}",
            remedy="leave --seed out, or record with it: payproof record --seed",
        )
    known = tuple(probe for probe in stamp.stories if probe in probes(config.gateway))
    wanted = tuple(name for name in known if not options.probes or name in options.probes)
    if not wanted:
        raise PayproofError(
            "the recording holds none of these probes",
            place=str(path_of(config)),
            remedy=f"it holds: {', '.join(known)}",
        )
    return replace(options, seed=stamp.seed, probes=wanted)
