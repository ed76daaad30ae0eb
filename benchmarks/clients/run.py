"""What HTTP clients do by default, and with the limits that docs/clients.md recommends, measured at the socket.

    python benchmarks/clients/run.py [--only NAME ...] [--situations NAME ...] [--window 65] [--at-once 40] [--write]

It needs payproof. Clients are installed beside this script at the first run; one whose runtime or library is missing is skipped
with a line. Everything listens on loopback, and everything that was started is ended. ``--write`` keeps the figures in
measured.json, of which docs/generate.py makes docs/clients.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import platform
import sys
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import date
from pathlib import Path
from typing import Any

from clients import CLIENTS, Client, Skipped, version
from clients_page import MEASURED
from measure import Measured, measure
from situations import SITUATIONS, Cell


def prepared(wanted: list[str]) -> tuple[dict[str, tuple[list[str], str]], list[str]]:
    """The command and version of each client that is here, by name; and a line for each that is not."""
    here, skipped = dict[str, tuple[list[str], str]](), list[str]()
    for client in CLIENTS:
        if wanted and not any(word.lower() in client.name.lower() for word in wanted):
            continue
        try:
            command = client.prepare()
            here[client.name] = command, version(command)
        except Skipped as why:
            skipped.append(f"{client.name}: {why}")
            print(f"skipped {skipped[-1]}", file=sys.stderr)
    return here, skipped


def cells(client: Client, wanted: list[str]) -> list[Cell]:
    clock = "clock" in client.path.read_text()
    chosen = [each for each in SITUATIONS if not wanted or each.name in wanted]
    return [cell for situation in chosen for cell in situation.cells(clock)]


def measure_all(
    here: dict[str, tuple[list[str], str]], wanted: list[str], window: float, at_once: int
) -> dict[str, dict[str, Measured]]:
    """By client and cell. The long waits begin first, so that they run beside everything else."""
    todo = [(client, cell) for client in CLIENTS if client.name in here for cell in cells(client, wanted)]
    todo.sort(key=lambda each: (not each[1].situation.waits, each[1].mode != "default"))
    found: dict[str, dict[str, Measured]] = {name: {} for name in here}
    with ThreadPoolExecutor(at_once) as pool:
        running: dict[Future[Measured], tuple[Client, Cell]] = {
            pool.submit(measure, here[client.name][0], cell, window): (client, cell) for client, cell in todo
        }
        for done, future in enumerate(as_completed(running), 1):
            client, cell = running[future]
            found[client.name][cell.name] = future.result()
            show(f"{done} of {len(todo)}: {client.name} {cell.name}")
    return found


def listed() -> dict[str, Any]:
    """Every client, with its program and the names of its cells."""
    return {
        each.name: {"program": str(each.path), "cells": [cell.name for cell in cells(each, [])]} for each in CLIENTS
    }


def show(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text[:100]}", end="", file=sys.stderr, flush=True)


def as_values(
    here: dict[str, tuple[list[str], str]], found: dict[str, dict[str, Measured]], skipped: list[str], window: float
) -> dict[str, Any]:
    """What is kept in a file. Cells stand in the order of the situations."""
    clients: dict[str, Any] = {}
    for client in CLIENTS:
        if client.name in here:
            measured = {
                cell.name: dataclasses.asdict(found[client.name][cell.name])
                for cell in cells(client, [])
                if cell.name in found[client.name]
            }
            clients[client.name] = {"version": here[client.name][1], "cells": measured}
    machine = f"{platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} cores"
    return {
        "on": date.today().isoformat(),
        "machine": machine,
        "window": window,
        "skipped": skipped,
        "clients": clients,
    }


def written(values: dict[str, Any]) -> str:
    """JSON with a line for each cell."""
    lines = [
        json.dumps({name: value for name, value in values.items() if name != "clients"}, indent=1)[:-2]
        + ',\n "clients": {'
    ]
    for name, client in values["clients"].items():
        lines.append(f'  {json.dumps(name)}: {{"version": {json.dumps(client["version"])}, "cells": {{')
        lines += [f"   {json.dumps(cell)}: {json.dumps(value)}," for cell, value in client["cells"].items()]
        lines[-1] = lines[-1].rstrip(",")
        lines.append("  }},")
    lines[-1] = lines[-1].rstrip(",")
    return "\n".join([*lines, " }", "}", ""])


def merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What was measured before, with the cells in place that were measured again."""
    known = listed()
    for name, client in after["clients"].items():
        cells = before["clients"].get(name, {"cells": {}})["cells"] | client["cells"]
        ordered = {cell: cells[cell] for cell in known[name]["cells"] if cell in cells}
        before["clients"][name] = {"version": client["version"], "cells": ordered}
    before["clients"] = {name: before["clients"][name] for name in known if name in before["clients"]}
    return before


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="words in the names of clients")
    parser.add_argument(
        "--situations", nargs="+", default=[], metavar="NAME", choices=[each.name for each in SITUATIONS]
    )
    parser.add_argument("--window", type=float, default=65, metavar="SECONDS", help="how long a client is watched (65)")
    parser.add_argument("--at-once", type=int, default=40, metavar="N", help="clients that run side by side (40)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the figures go (they are printed otherwise)")
    parser.add_argument(
        "--list", action="store_true", help="print the clients and what is measured, and measure nothing"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="keep the figures in measured.json; only what was measured again is replaced",
    )
    options = parser.parse_args()
    if options.list:
        print(json.dumps(listed(), indent=1))
        return 0
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())  # what it thinks of a request that asks for HTTP/2
    here, skipped = prepared(options.only)
    found = measure_all(here, options.situations, options.window, options.at_once)
    whole = not options.only and not options.situations
    text = written(as_values(here, found, skipped, options.window))
    json.loads(text)
    if options.write:
        MEASURED.write_text(text if whole else written(merged(json.loads(MEASURED.read_text()), json.loads(text))))
        print("python docs/generate.py makes docs/clients.md of it", file=sys.stderr)
    elif options.out:
        options.out.write_text(text)
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
