"""The one source of ids, keys and tokens. Always fresh, whatever the seed: a value seen twice is a leak, not luck."""

from __future__ import annotations

import os
import random

from payproof.contracts.redaction import secrets


class Ids:
    def __init__(self) -> None:
        self._rng = random.Random(os.urandom(32))

    def mint(self, length: int) -> str:
        return secrets.mint(self._rng, length)
