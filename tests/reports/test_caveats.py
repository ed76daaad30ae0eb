"""A must that nobody judged, because something is not declared, is said wherever the outcome is said."""

from __future__ import annotations

import dataclasses
import io
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from payproof.contracts.model import Outcome, Result
from payproof.contracts.run import Run
from payproof.reports import facts
from payproof.reports.console import checklist
from payproof.reports.formats import html, junit, markdown
from payproof.reports.formats.json import document

CAVEAT = "idempotency.return-twice: declare order.effects"


@pytest.fixture
def ready(result: Result) -> Result:
    return dataclasses.replace(result, outcome=Outcome.READY, reasons=(), caveats=(CAVEAT,))


def test_the_ready_sentence_carries_the_caveat(ready: Result) -> None:
    assert facts.sentence(ready).endswith(f"Not judged: {CAVEAT}.")
    assert "every must-requirement holds" not in facts.sentence(ready)


def test_the_consoles_last_line_carries_it(ready: Result, run: Run) -> None:
    file = io.StringIO()
    checklist(ready, run, console=Console(file=file, width=400))
    last = " ".join(file.getvalue().partition("\nREADY: ")[2].split())
    assert last.endswith(f"Not judged: {CAVEAT}.")


def test_markdown_and_html_carry_it(ready: Result, run: Run) -> None:
    assert CAVEAT in markdown.render(ready, run).replace("\\", "")
    assert CAVEAT in html.render(ready, run)


def test_json_has_it_as_data(ready: Result, run: Run) -> None:
    assert document(ready, run)["caveats"] == [CAVEAT]


def test_junit_has_it_as_a_property_of_the_suites_that_hold_the_requirement(ready: Result, run: Run) -> None:
    root = ET.fromstring(junit.render(ready, run))
    caveats = [each.get("value") for each in root.iterfind("testsuite/properties/property[@name='caveat']")]
    assert caveats == [CAVEAT]


def test_many_caveats_do_not_drown_the_sentence(ready: Result) -> None:
    many = dataclasses.replace(ready, caveats=tuple(f"a.b{number}: declare c" for number in range(9)))
    assert facts.sentence(many).endswith("; and 6 more.")


def test_without_a_caveat_nothing_is_said_of_one(ready: Result) -> None:
    assert facts.sentence(dataclasses.replace(ready, caveats=())).startswith("every must-requirement holds.")
