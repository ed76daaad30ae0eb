"""What was measured, as the reports show it: figures, the map of what was tried, the worlds' time."""

from __future__ import annotations

import dataclasses
import importlib.resources
import io
import json
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from bs4 import BeautifulSoup, Tag
from rich.console import Console

from payproof.contracts.behaviour import behaviour
from payproof.contracts.entries import Connection, Process
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports import WRITERS, console
from payproof.reports.behaviour import FigureRow, facts_of, tables
from payproof.reports.coverage import coverage_map
from payproof.reports.timeline import ticks

from ..contracts.checks.written import Written  # noqa: TID252

ABOUT = {"never-answer": "Takes the request and says `nothing` <i>", "oversized": "The real answer, and a lot more"}


def written() -> Written:
    """A shop that never gives up a create call, whose customer is answered before; that retries a lost token call twice, comes
    too early after a 429, takes an expired certificate, and tries a full backlog for 21 seconds."""
    journal = Written()
    journal.run_fields["provoked_by"] = {"timeout.response": ("stalled",)}
    journal.run_fields["facts"] = {"faults": ABOUT}
    journal.add(Process(event="started"))
    journal.ready()
    with journal.probe("stalled", operation="create"):
        journal.armed("never-answer", "create", id=1)
        began = journal.now
        journal.page("checkout", seconds=25.0, status=502)
        journal.now = began
        journal.create(status=None, seconds=60.0, ending="cut", fault="never-answer")
        journal.cleared("never-answer", "create", fired=1)
    with journal.probe("network-error", operation="token"):
        began = journal.now
        for _ in range(3):
            journal.token(issued=None, status=None, ending="cut", fault="dropped")
            journal.passes(0.4)
        journal.page("checkout", began=began, status=502)
        journal.armed("oversized", "status", id=2)
        journal.cleared("oversized", "status", fired=0)
    with journal.probe("unconnected"):
        journal.add(
            Connection(
                event="silent", fault="silent", began=journal.now, seconds=9.0, first_byte=0.01, ended_by="client"
            )
        )
    with journal.probe("rate-limited", operation="create"):
        journal.create(status=429, fault="rate-limit", answer_headers=(("Retry-After", "2"),))
        journal.create()
    with journal.probe("unconnected", operation="create"):
        journal.passes(21.0)
        journal.add(
            Connection(event="unaccepted", fault="backlog", began=journal.now - 21, seconds=21.0, ended_by="client")
        )
        versions = ("TLSv1.3", "TLSv1.2")
        journal.add(
            Connection(event="served", began=journal.now, seconds=1.0, tls="TLSv1.3", offered=versions, calls=4)
        )
        journal.add(
            Connection(
                event="served", fault="expired-certificate", began=journal.now, seconds=1.0, tls="TLSv1.3", calls=1
            )
        )
        journal.create(fault="expired-certificate")
        journal.add(
            Connection(
                event="handshake_failed", fault="wrong-host", began=journal.now, seconds=0.1, ended_by="client", alert="unknown ca"
            )
        )  # fmt: skip
    return journal


@pytest.fixture
def run() -> Run:
    return written().run()


@pytest.fixture
def result(run: Run) -> Result:
    return judge(run, written().profile)


@pytest.fixture
def page(result: Result, run: Run) -> BeautifulSoup:
    return BeautifulSoup(WRITERS["html"].render(result, run), "html.parser")


def row(run: Run, label: str) -> FigureRow:
    found = behaviour(run)
    rows = [row for table in tables(found) for row in table.rows]
    return next(row for row in (*rows, *facts_of(found)) if row.label == label)


# -- words -------------------------------------------------------------------------------------------------------------


def test_a_figure_has_its_limit_and_what_the_customer_saw_meanwhile(run: Run) -> None:
    token, create, status = row(run, "no byte of the answer comes").figures
    assert create.line == "none within 60.0 s, limit 30; the customer was answered after 25.0 s"
    assert create.tone == "over"
    assert token.line == "not measured in this run; no token call was made while it was tried"
    assert status.tone == "none"


def test_a_figure_within_the_limit_is_plain(run: Run) -> None:
    create = row(run, "the connection is not accepted").figures[1]
    assert (create.line, create.tone) == ("21.0 s, limit 30", "plain")


@pytest.mark.parametrize(
    ("ending", "seconds", "tone"),
    [("hung_up", 32.5, "plain"), ("hung_up", 33.5, "over"), ("cut", 31.0, "over"), ("cut", 12.0, "plain")],
)
def test_who_hangs_up_has_grace_and_who_does_not_has_none(ending: Any, seconds: float, tone: str) -> None:
    journal = Written()
    journal.create(status=None, seconds=seconds, ending=ending, fault="never-answer")
    assert row(journal.run(), "no byte of the answer comes").figures[1].tone == tone


def test_a_page_of_figures_says_when_this_machine_was_too_busy_for_them(run: Run) -> None:
    assert "too much to do" not in tables(behaviour(run))[0].about
    busy = replace(run, facts={**run.facts, "late": 3.4})
    assert "payproof was up to 3.4 s late" in tables(behaviour(busy))[0].about


def test_a_connection_of_which_nobody_knows_what_it_was_for_has_one_figure(run: Run) -> None:
    (only,) = row(run, "the TLS handshake is not answered").figures
    assert only.line == "9.0 s, limit 30; whichever call it was for"


def test_attempts_and_their_pauses_stand_with_the_customers_answer(run: Run) -> None:
    token = row(run, "connection lost before the answer ended").figures[0]
    assert token.line == "sent 3 times; again after 0.50 s, 0.50 s; HTTP 502 after 1.7 s"


def test_coming_before_retry_after_is_said(run: Run) -> None:
    create = row(run, "429 with Retry-After: 2").figures[1]
    assert (create.line, create.tone) == ("too early; sent again after 0.10 s", "over")


def test_tls_and_certificates_are_told_as_they_were_met(run: Run) -> None:
    assert row(run, "TLS").figures[0].line == "TLS 1.3 chosen; offers TLS 1.3, TLS 1.2"
    assert row(run, "connections kept alive").figures[0].line == "4 calls on 1 connection; at most 4 on one"
    assert row(run, "an expired certificate").figures[0].line == "taken; 1 call"
    assert row(run, "another host's certificate").figures[0].line == "refused; alert: unknown ca"
    assert "no probe tried it" in row(run, "TLS 1.0 and 1.1 only").figures[0].line


def test_a_row_of_which_nothing_is_known_says_so_once(run: Run) -> None:
    (only,) = row(run, "the body drips, a byte at a time").figures
    assert only.line == "not measured in this run; no probe tried it"


# -- the map -----------------------------------------------------------------------------------------------------------


def test_a_square_has_the_verdict_of_the_findings_about_its_probe_run(result: Result, run: Run) -> None:
    found = {(each.cell.operation, each.cell.fault): each for each in coverage_map(result, run).squares}
    stalled = found["create", "never-answer"]
    assert stalled.verdict is not None
    assert stalled.verdict.value == "pass"  # the customer was answered in time: reported, and not held against anybody
    assert stalled.text == (
        "never-answer at create, before the effect: passed. 1 probe run; the customer had HTTP 502 after 25.0 s."
    )
    assert found["token", "dropped"].verdict is None
    assert found["status", "oversized"].text == "oversized was ready for status and no such call was made"


def test_faults_of_the_connection_have_a_part_of_their_own(result: Result, run: Run) -> None:
    before, calls = coverage_map(result, run).parts
    assert [row.fault for row in before.rows] == ["backlog", "expired-certificate", "silent", "wrong-host"]
    assert [len(row.squares) for row in before.rows] == [3, 3, 1, 3]
    assert {row.fault for row in calls.rows} == {"dropped", "never-answer", "oversized", "rate-limit"}


def test_a_failing_finding_is_named_on_its_square(run: Run) -> None:
    journal = written()
    with journal.probe("stalled", operation="status"):
        journal.status(status=None, seconds=60.0, ending="cut", fault="never-answer")
    failing = journal.run()
    squares = coverage_map(judge(failing, journal.profile), failing).squares
    found = next(each for each in squares if (each.cell.operation, each.cell.fault) == ("status", "never-answer"))
    assert found.failed == ("timeout.response",)


# -- HTML --------------------------------------------------------------------------------------------------------------


def test_every_figure_and_every_mark_leads_to_an_entry_on_the_page(page: BeautifulSoup) -> None:
    links = [str(link["href"]) for link in page.select("a.figure, .map a.mark")]
    assert len(links) > 10
    for link in links:
        target = page.find(id=link.removeprefix("#"))
        assert isinstance(target, Tag)
        assert "scene" in (target.get("class") or [])


def test_no_id_stands_twice(page: BeautifulSoup) -> None:
    ids = [str(found["id"]) for found in page.select("[id]")]
    assert len(ids) == len(set(ids))


def test_the_contents_lead_to_each_section(page: BeautifulSoup) -> None:
    links = page.select(".contents a")
    assert [link.get_text() for link in links][-3:] == ["Behaviour", "Coverage", "Time"]
    assert all(page.find(id=str(link["href"])[1:]) for link in links)


def test_each_row_of_the_map_has_the_same_width(page: BeautifulSoup) -> None:
    for found in page.select(".map tr"):
        cells = found.select("th, td")
        assert sum(int(str(cell.get("colspan", "1"))) for cell in cells) == 7, found.get_text()


def test_a_lane_shows_launch_probe_runs_and_waits_within_its_bounds(page: BeautifulSoup) -> None:
    (lane,) = page.select(".lanes .lane")
    kinds = [str(bar["class"]) for bar in lane.select("rect")]
    assert {"['launch']", "['story']", "['wait']"} <= set(kinds)
    for bar in lane.select("rect"):
        assert float(str(bar["x"]).rstrip("%")) + float(str(bar["width"]).rstrip("%")) <= 100.01


def test_what_a_fault_does_is_told_and_what_was_tried_nowhere(page: BeautifulSoup) -> None:
    about = page.select(".map .does")[0]
    assert "Takes the request and says nothing <i>" in page.select(".map")[0].get_text()
    assert about.select("code")
    assert not about.select("i")
    faults = {"never-answer": "", "drip": ""}
    journal = written()
    journal.run_fields["facts"] = {"faults": faults}
    shown = WRITERS["html"].render(judge(journal.run(), journal.profile), journal.run())
    assert "Tried nowhere in this run: drip." in shown


def test_an_unscored_run_has_no_empty_sections(run: Run) -> None:
    bare = Run(gateway="nobody")
    page = BeautifulSoup(WRITERS["html"].render(judge(Run(gateway="quatapay"), written().profile), bare), "html.parser")
    assert not page.select("#behaviour, #coverage, #time")


# -- JSON and console --------------------------------------------------------------------------------------------------


@pytest.fixture
def document(result: Result, run: Run) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(WRITERS["json"].render(result, run))
    return loaded


def test_the_json_report_keeps_its_schema(document: dict[str, Any]) -> None:
    text = (importlib.resources.files("payproof.reports") / "report.schema.json").read_text(encoding="utf-8")
    errors = jsonschema_rs.Draft202012Validator(json.loads(text)).iter_errors(document)
    assert [error.message for error in errors] == []


def test_values_words_and_entries_stand_together(document: dict[str, Any], run: Run) -> None:
    held = next(
        each
        for each in document["behaviour"]["hang_up"]
        if (each["stall"], each["operation"]) == ("first-byte", "create")
    )
    assert (held["seconds"], held["watched"], held["answered"]) == (None, 60.0, 25.0)
    assert held["text"].startswith("none within 60.0 s, limit 30")
    world, number = held["evidence"][0].split("#")
    assert any(entry.n == int(number) and entry.kind == "call" for entry in run.by_name[world].entries)


def test_the_map_and_the_timeline_stand_there_too(document: dict[str, Any]) -> None:
    cells = {(each["operation"], each["fault"], each["phase"]): each for each in document["coverage"]["cells"]}
    assert cells["create", "never-answer", "before"]["verdict"] == "pass"
    assert cells["status", "oversized", "after"] | {"text": ""} == {
        "operation": "status", "fault": "oversized", "phase": "after", "verdict": "not_exercised", "failed": [], "text": "",
        "evidence": [], "missed": 1,
    }  # fmt: skip
    (lane,) = document["timeline"]["worlds"]
    assert lane["spans"][0]["kind"] == "launch"
    assert max(wait["ended"] - wait["began"] for wait in lane["waits"]) == pytest.approx(35.0, abs=1.0)


def test_the_terminal_tells_the_figures_when_asked_for_all(result: Result, run: Run) -> None:
    def shown(*, verbose: bool) -> str:
        out = io.StringIO()
        console.checklist(result, run, console=Console(file=out, width=200), verbose=verbose)
        return out.getvalue()

    assert "create: none within 60.0 s, limit 30" in shown(verbose=True)
    assert "limit 30" not in shown(verbose=False)


def test_ten_thousand_exchanges_make_a_page_that_is_not_ten_times_longer(result: Result, run: Run) -> None:
    journal = written()
    with journal.probe("error-answer"):
        for _ in range(10_000):
            journal.create(status=500, fault="status")
    many = WRITERS["html"].render(result, journal.run())
    assert len(many) < 2 * len(WRITERS["html"].render(result, run))


@pytest.mark.parametrize(
    ("whole", "last"), [(0.0, ""), (3.0, "2 s"), (36.7, "30 s"), (65.0, "60 s"), (3_000.0, "2400 s")]
)
def test_the_scale_has_round_seconds(whole: float, last: str) -> None:
    marks = ticks(whole)
    assert len(marks) <= 7
    assert (marks[-1].text if marks else "") == last


def test_findings_without_evidence_judge_no_square(result: Result, run: Run) -> None:
    bare = tuple(
        dataclasses.replace(each, findings=tuple(dataclasses.replace(f, evidence=()) for f in each.findings))
        for each in result.judgements
    )
    squares = coverage_map(dataclasses.replace(result, judgements=bare), run).squares
    assert {each.verdict.value if each.verdict else None for each in squares} == {None, "not_exercised"}
