"""How long the HTML report of a run with many exchanges takes to write, and to open in Chromium: ``python benchmarks/report_page.py``.

The run is made up: every exchange is evidence of a finding, which is more than any real run asks of the page.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from payproof.contracts.entries import Call, Entry, Page, ProbeMark, Request, Response
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Finding, Judgement, Level, Outcome, Pointer, Result, Verdict
from payproof.contracts.profile import load
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports import WRITERS

PER_PROBE_RUN = 20
HEADERS = tuple((f"x-header-{number}", "value " * 4) for number in range(8))
BODY = '{"order":"1001","amount":"5000.00","currency":"XAF","note":"' + "words " * 30 + '"}'


def entries(exchanges: int) -> Iterator[Entry]:
    asked = Request(method="POST", url="https://localhost/api/create", headers=HEADERS, body=BODY)
    answer = Response(status=500, headers=HEADERS, body=BODY, size=len(BODY))
    n = 0
    for start in range(0, exchanges, PER_PROBE_RUN):
        yield ProbeMark(n=(n := n + 1), at=start, event="begin", probe="error-answer", params={"operation": "create"})
        for place in range(PER_PROBE_RUN // 2):
            at = start + place / 10
            yield Call(
                n=(n := n + 1),
                at=at,
                began=at + 0.01,
                ended=at + 0.04,
                ending="answered",
                request=asked,
                response=answer,
            )
            yield Page(n=(n := n + 1), at=at, began=at, ended=at + 0.05, where="integration", purpose="checkout",
                       customer="Ada", request=asked, response=answer)  # fmt: skip
        yield ProbeMark(n=(n := n + 1), at=start + PER_PROBE_RUN / 10, event="end", probe="error-answer")


def page(exchanges: int) -> str:
    """The report of such a run: each requirement fails, with a finding for each of its probe runs."""
    world = RecordedWorld(name="main", entries=tuple(entries(exchanges)))
    run = Run(gateway="quatapay", worlds=(world,))
    names = judge(run, load(run.gateway)).scope
    pointers = [Pointer("main", entry.n) for entry in world.entries if isinstance(entry, Call | Page)]
    shares = [tuple(pointers[start : start + PER_PROBE_RUN]) for start in range(0, len(pointers), PER_PROBE_RUN)]
    judgements = [
        Judgement(
            requirement=name, level=Level.MUST, text=f"{name} holds.", verdict=Verdict.FAIL,
            findings=tuple(Finding(check=name, verdict=Verdict.FAIL, title="it does not", evidence=share)
                           for share in shares[place :: len(names)]),
        )
        for place, name in enumerate(names)
    ]  # fmt: skip
    result = Result(outcome=Outcome.NOT_READY, reasons=(), diagnosis=(), golive=(), guidelines=(),
                    judgements=tuple(judgements), scope=names)  # fmt: skip
    return WRITERS["html"].render(result, run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    began = time.perf_counter()
    text = page(options.exchanges)
    print(f"{options.exchanges:,} exchanges: {len(text) / 1e6:.1f} MB, written in {time.perf_counter() - began:.1f} s")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder) / "report.html"
        file.write_text(text, encoding="utf-8")
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for _ in range(options.times):
            opened = browser.new_page()
            opened.goto(file.as_uri())
            seconds = opened.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1_000
            began = time.perf_counter()
            opened.locator(".filter input").fill("token")
            print(f"opened in {seconds:.2f} s, searched in {time.perf_counter() - began:.2f} s")
            opened.close()
        browser.close()


if __name__ == "__main__":
    main()
