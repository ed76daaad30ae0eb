"""What a page's scripts are to a browser without an engine: files, and the addresses that they fetch at once."""

from __future__ import annotations

import re

from payproof.contracts.entries import Response

_FETCHED = re.compile(r"""(?:fetch|axios|axios\.get|\$\.get|\$\.getJSON)\(\s*['"](/[^'"\s]*)['"]\s*\)""")
"""A plain GET in a script: an address and nothing else."""


def fetched(text: str) -> list[str]:
    """The addresses that a script fetches by a plain GET, as they stand there."""
    return _FETCHED.findall(text)


def is_file(answer: Response) -> bool:
    """Whether an answer looks like a file that a server gives to everybody."""
    # An ETag is no sign: frameworks give one to whatever they answer.
    names = {name.lower() for name, _ in answer.headers}
    return answer.status == 200 and "set-cookie" not in names and "last-modified" in names
