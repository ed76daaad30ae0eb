"""The requests as an .http file for JetBrains' HTTP Client and httpyac: scripts keep what the answers give."""

from __future__ import annotations

import json
from collections.abc import Iterator

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports.formats.http import paths_of, written
from payproof.reports.registry import writer
from payproof.reports.request_export import ExportRequest, handover


@writer("intellij", "requests.intellij.http")
def render(result: Result, run: Run) -> str:
    """Variables first, then the requests in the order in which they can be sent."""
    return written(handover(run), _kept, "For IntelliJ and the other JetBrains editors, and for httpyac.")


def _kept(ask: ExportRequest) -> Iterator[str]:
    for name, path in paths_of(ask):
        yield f"> {{% client.global.set({json.dumps(name)}, response.body{path}); %}}"
