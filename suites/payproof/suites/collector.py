"""How often Python looks for objects that hold each other."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator


@contextlib.contextmanager
def calm_collector() -> Generator[None]:
    """Modules, journals and books live long and hold no cycles: looking through them every 700 objects takes a seventh of a run."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
