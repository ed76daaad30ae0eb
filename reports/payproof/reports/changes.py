"""The kinds of change between two runs: how every report calls them, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from payproof.contracts.results.run_comparison import Kind

TITLES: Mapping[Kind, str] = {
    "failing": "Fails now",
    "mended": "Mended",
    "changed": "Otherwise changed",
    "unjudged": "Only one of the two judged it",
    "added": "New requirements",
    "removed": "Requirements that are gone",
}
"""What stayed the same has no title."""
