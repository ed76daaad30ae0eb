"""The simulator beside the framework that it is made of, and beside its peers: one command, one table for each operation.

    python benchmarks/run.py [--seconds 3] [--rounds 5] [--operations create ...] [--only NAME ...] [--write]

All servers stand on loopback at once. In each round each of them answers wrk (one thread, 32 connections) for a few seconds, one after
the other; ratios are taken within a round. Peers that are not there are skipped with a line. ``--write`` puts the tables into
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Iterable
from datetime import date
from statistics import median

from measuring import Figures, Running, load, running
from servers import HERE, OPERATIONS, PLAIN, SERVERS, Server, Skipped

Results = dict[tuple[str, str], list[Figures]]
"""(operation, server's name) -> its figures, a round each."""
STARTS = 3
"""How often each server is started to see when it is ready."""


def measure(on: list[Running], operations: Iterable[str], rounds: int, seconds: int) -> Results:
    found: Results = {}
    for number in range(rounds):
        for operation in operations:
            for server in on:
                calls = server.calls.values() if operation == "payment" else [server.calls.get(operation)]
                asked = [call for call in calls if call is not None]
                if asked and (operation != "payment" or len(asked) == 3):
                    figures = load(server, asked, seconds)
                    found.setdefault((operation, server.server.name), []).append(figures)
                    print(f"{number + 1} {operation} {server.server.name}: {figures.rate:,.0f}/s", file=sys.stderr)
    return found


def ready(server: Server) -> list[float]:
    """Seconds until it answered, for some starts."""
    found: list[float] = []
    for _ in range(STARTS):
        with running(server) as on:
            found.append(on.ready)
    return found


def table(operation: str, on: list[Running], found: Results) -> list[str]:
    title = "token, create and status in turn" if operation == "payment" else operation
    lines = ["", f"| {title} | requests/s | of the plain app | p99 | times the plain app's | processor time each |"]
    lines.append("|---|---|---|---|---|---|")
    plain = found.get((operation, PLAIN), [])
    for server in on:
        if rounds := found.get((operation, server.server.name)):
            failed = sum(each.failed for each in rounds)
            name = server.server.name + (f" ({failed} failed)" if failed else "")
            speed = [each.rate / other.rate for each, other in zip(rounds, plain, strict=False)]
            wait = [each.p99 / other.p99 for each, other in zip(rounds, plain, strict=False)]
            cells = (
                name, f"{median(each.rate for each in rounds):,.0f}", _ratio(speed),
                f"{median(each.p99 for each in rounds) * 1000:.1f} ms", _ratio(wait),
                f"{median(each.work for each in rounds) * 1e6:.0f} µs",
            )  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _ratio(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else ""


def servers_table(on: list[Running], before: dict[str, float], starts: dict[str, list[float]]) -> list[str]:
    lines = ["", "| server | | ready after | memory before -> after |", "|---|---|---|---|"]
    for server in on:
        name = server.server.name
        memory = f"{before[name]:.0f} -> {server.memory():.0f} MB"
        lines.append(f"| {name} | {server.server.note} | {median(starts[name]):.2f} s | {memory} |")
    return lines


def write(text: str) -> None:
    """Put the tables between the marks of README.md."""
    readme = HERE / "README.md"
    begin, end = "<!-- figures -->", "<!-- end of figures -->"
    head, _, rest = readme.read_text().partition(begin)
    tail = rest.partition(end)[2]
    readme.write_text(f"{head}{begin}\n{text}\n{end}{tail}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3, choices=range(1, 31), metavar="1-30")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 51), metavar="1-50")
    parser.add_argument("--operations", nargs="+", default=list(OPERATIONS), choices=OPERATIONS)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="words in the names of servers")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not there: your system's package manager has it", file=sys.stderr)
        return 2
    wanted = [s for s in SERVERS if not options.only or any(word.lower() in s.name.lower() for word in options.only)]
    busy = os.getloadavg()[0]
    starts: dict[str, list[float]] = {}
    skipped: list[str] = []
    with contextlib.ExitStack() as stack:
        on: list[Running] = []
        for server in wanted:
            try:
                starts[server.name] = ready(server)
                on.append(stack.enter_context(running(server)))
            except Skipped as why:
                skipped.append(f"{server.name}: {why}")
        before = {each.server.name: each.memory() for each in on}
        found = measure(on, options.operations, options.rounds, options.seconds)
        lines = [
            f"{date.today().isoformat()}, {os.cpu_count()} cores shared by server and wrk, {platform.system()}, "
            f"Python {platform.python_version()}; {options.rounds} rounds of {options.seconds} s, medians (least to most); "
            f"load average at the start {busy:.1f}."
        ]
        for operation in options.operations:
            lines += table(operation, on, found)
        lines += servers_table(on, before, starts)
    lines += ["", *(f"Skipped: {text}." for text in skipped)] if skipped else []
    print("\n".join(lines))
    if options.write:
        write("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
