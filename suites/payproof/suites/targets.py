"""Which gateway a world gets."""

from __future__ import annotations

from payproof.contracts.journal import Journal
from payproof.simulator import Simulated, Simulator, Target
from payproof.suites.config import Config


def simulated(config: Config, journal: Journal, seed: int) -> Target:
    """A simulator of the configured gateway, with one merchant."""
    settings = config.simulator
    sim = Simulator(config.profile, journal=journal, seed=seed, knobs={"rate_limit": 0, **settings.knobs})
    return Simulated(sim, sim.add_merchant("shop", client_id=settings.client_id, secret_key=settings.secret_key))
