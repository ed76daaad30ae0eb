"""Where the time of a call goes: a flame graph of the simulator under load.

    python benchmarks/flame.py [--operation create] [--seconds 10] [--out docs/flame-create.svg]

Needs wrk and py-spy. A box is a function, as wide as its share of the processor time; what stands on it was called by it. Hover to read.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from measuring import load, running
from servers import HERE, PAYPROOF, SERVERS

WIDTH, HEIGHT, LEAST = 1200.0, 17, 0.002
"""Pixels of the whole and of a box; the share below which a box is left out."""
COLOURS = (
    ("simulator/listening/http_connection.py", "#f0b27a"),
    ("simulator/listening/asked.py", "#f0b27a"),
    ("payproof/", "#7fb3d5"),
    ("contracts/", "#7fb3d5"),
    ("simulator/", "#7fb3d5"),
    ("starlette/", "#f7dc6f"),
)
OTHER = "#d5d8dc"


@dataclass(slots=True)
class Node:
    """A function called in a certain way. ``samples``: times that it was seen, by itself or by what it called."""

    name: str
    samples: int = 0
    called: dict[str, Node] = field(default_factory=dict[str, "Node"])

    def add(self, stack: list[str], samples: int) -> None:
        self.samples += samples
        if stack:
            self.called.setdefault(stack[0], Node(stack[0])).add(stack[1:], samples)


@dataclass(frozen=True, slots=True)
class Box:
    name: str
    left: float
    width: float
    depth: int
    share: float


def boxes(node: Node, whole: int, left: float = 0.0, depth: int = 0) -> Iterator[Box]:
    share = node.samples / whole
    if share < LEAST:
        return
    yield Box(node.name, left, share * WIDTH, depth, share)
    for called in sorted(node.called.values(), key=lambda each: -each.samples):
        yield from boxes(called, whole, left, depth + 1)
        left += called.samples / whole * WIDTH


def tree(folded: str) -> Node:
    """Stacks as py-spy writes them: ``outer (file:line);inner (file:line) samples``."""
    root = Node("all")
    for line in folded.splitlines():
        stack, _, samples = line.rpartition(" ")
        root.add([re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")], int(samples))
    return root


def svg(root: Node, title: str) -> str:
    found = list(boxes(root, root.samples))
    deepest = max(box.depth for box in found)
    high = (deepest + 3) * HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {high}" font-family="monospace" font-size="11">',
        f'<rect width="100%" height="100%" fill="#fff"/><text x="4" y="{HEIGHT - 4}">{html.escape(title)}</text>',
    ]
    for box in found:
        top = high - (box.depth + 1) * HEIGHT
        colour = next((colour for part, colour in COLOURS if part in box.name), OTHER)
        shown = html.escape(box.name[: int(box.width / 6.8)]) if box.width > 30 else ""
        lines.append(
            f'<g><title>{html.escape(box.name)}: {box.share:.1%}</title><rect x="{box.left:.1f}" y="{top}" '
            f'width="{box.width:.1f}" height="{HEIGHT - 1}" fill="{colour}"/>'
            f'<text x="{box.left + 2:.1f}" y="{top + HEIGHT - 5}">{shown}</text></g>'
        )
    return "\n".join([*lines, "</svg>", ""])


def sampled(operation: str, seconds: int) -> str:
    server = next(each for each in SERVERS if each.name == PAYPROOF)
    with running(server) as on, tempfile.NamedTemporaryFile() as file:
        pushing = threading.Thread(target=load, args=(on, [on.calls[operation]], seconds + 4))
        pushing.start()
        command = [
            "py-spy",
            "record",
            "-p",
            str(on.process.pid),
            "-r",
            "500",
            "-d",
            str(seconds),
            "-f",
            "raw",
            "-o",
            file.name,
        ]
        subprocess.run(command, check=True, capture_output=True)
        pushing.join()
        return Path(file.name).read_text()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--operation", default="create", choices=("create", "token", "status"))
    parser.add_argument("--seconds", type=int, default=10, choices=range(1, 61), metavar="1-60")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    for program in ("wrk", "py-spy"):
        if shutil.which(program) is None:
            print(f"{program} is not there", file=sys.stderr)
            return 2
    root = tree(sampled(options.operation, options.seconds))
    out = options.out or HERE.parent / "docs" / f"flame-{options.operation}.svg"
    out.write_text(svg(root, f"payproof serve, {options.operation}, 32 connections: {root.samples:,} samples"))
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
