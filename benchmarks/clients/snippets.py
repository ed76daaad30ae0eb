"""The lines of a client's program that the page shows: those that are marked at their end."""

from __future__ import annotations

import re
import textwrap

from clients import Client

FENCES = {
    "Python": "python",
    "Node": "js",
    "PHP": "php",
    "Go": "go",
    "Java": "java",
    "Ruby": "ruby",
    "command line": "sh",
}


def snippet(client: Client, mark: str) -> str:
    """A block of code. Lines that do not stand beside each other are moved to the same margin."""
    ends = re.compile(rf"\s*(#|//) {mark}$")
    blocks: list[list[str]] = [[]]
    for line in client.path.read_text().splitlines():
        if ends.search(line):
            blocks[-1].append(ends.sub("", line.expandtabs(4)))
        elif blocks[-1]:
            blocks.append([])
    text = "\n".join(textwrap.dedent("\n".join(block)) for block in blocks if block)
    return f"```{FENCES[client.language]}\n{text}\n```"
