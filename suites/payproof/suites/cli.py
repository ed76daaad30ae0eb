"""``payproof``: the command line. Everything is imported late, so that Ctrl-C ends it quietly from the first moment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

READY, NOT_SCORED, INTERRUPTED = 0, 2, 130


def main() -> None:
    """The console script."""
    code = run()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)  # nothing is left that a late Ctrl-C could stop
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never raises."""
    if sys.platform == "win32":
        sys.stderr.write(
            "error: payproof does not run on Windows itself; run it, and the integration, in WSL (wsl --install)\n"
        )
        return NOT_SCORED
    try:
        from payproof.suites.collector import calm_collector

        with calm_collector():
            from payproof.suites.commands import command

            return command(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: everything that payproof started is stopped\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone (payproof list | head): say nothing more, not even at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READY


if __name__ == "__main__":
    main()
