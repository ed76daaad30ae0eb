"""A simulator that holds a million payments beside one that holds a thousand: speed and memory.

    python benchmarks/many.py [--payments 1000000] [--rounds 5] [--seconds 2]

The payments are made over HTTP, by wrk. Then both simulators answer creates, and status checks of their very first payment, in turn.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from statistics import median

import httpx
from measuring import Figures, Running, load, running
from servers import PAYPROOF, SERVERS

SLICE = 5
"""Seconds of creating between two looks."""


def fill(on: Running, payments: int) -> int:
    """Create at least so many; returns how many."""
    made = 0
    while made < payments:
        made += load(on, [on.calls["create"]], SLICE).count
        print(f"{made:,} payments, {on.memory():.0f} MB", file=sys.stderr)
    return made


def fill_a_little(on: Running, payments: int) -> None:
    with httpx.Client(base_url=on.url, trust_env=False) as client:
        for _ in range(payments):
            on.calls["create"].send(client).raise_for_status()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not there: your system's package manager has it", file=sys.stderr)
        return 2
    server = next(each for each in SERVERS if each.name == PAYPROOF)
    with running(server) as few, running(server) as many:
        fill_a_little(few, 1_000)
        first = fill(many, 1)  # the journal is full from here on, and takes no more
        before = many.memory()
        made = fill(many, options.payments - first)
        each_takes = (many.memory() - before) * 2**20 / made
        print(f"{first + made:,} payments held: {many.memory():.0f} MB, {each_takes:,.0f} bytes for each.")
        for operation in ("status", "create"):  # creates may well push the first payment out
            pairs: list[tuple[Figures, Figures]] = []
            for _ in range(options.rounds):
                call = [few.calls[operation]], [many.calls[operation]]
                pairs.append((load(few, call[0], options.seconds), load(many, call[1], options.seconds)))
            speed = median(large.rate / small.rate for small, large in pairs)
            work = median(large.work / small.work for small, large in pairs)
            failed = sum(large.failed for _, large in pairs)
            print(f"{operation}: {speed:.2f} of the speed with few, {work:.2f} of the processor time, {failed} failed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
