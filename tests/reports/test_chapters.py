"""Evidence in chapters, and entries as scenes."""

from __future__ import annotations

from typing import Any

import pytest
from an_event import an_event

from payproof.contracts.entries import (
    Alert,
    Call,
    Checkout,
    Connection,
    Delivery,
    Entry,
    FaultSet,
    Ledger,
    Log,
    OrderSeen,
    Page,
    ProbeMark,
    Process,
    Request,
    Response,
    SourceSeen,
    Step,
)
from payproof.contracts.model import Pointer
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports.chapters import BETWEEN, CHAPTERS, NEAR, POINTERS, Chapter, ChapterBuilder, Gap
from payproof.reports.render_entry import scene
from payproof.reports.scenes import Scene

GET = Request(method="GET", url="https://h/")


def chapters(entries: list[Entry], *numbers: int, whole: bool = True) -> tuple[Chapter, ...]:
    run = Run(gateway="nobody", worlds=(RecordedWorld(name="w", entries=tuple(entries)),))
    return ChapterBuilder(run).chapters([Pointer("w", number) for number in numbers], whole=whole)[0]


def outline(chapter: Chapter) -> list[Any]:
    return [part.entries if isinstance(part, Gap) else int(part.pointer.split("#")[1]) for part in chapter.parts]


def marked(*marks: str) -> list[Entry]:
    """``+p`` begins the probe run p, ``-p`` ends it, anything else is an alert."""
    found: list[Entry] = []
    for number, mark in enumerate(marks, start=1):
        if mark[0] in "+-":
            found.append(ProbeMark(n=number, event="begin" if mark[0] == "+" else "end", probe=mark[1:]))
        else:
            found.append(Alert(n=number, channel="webhook", text=mark))
    return found


def test_the_whole_probe_run_around_an_entry_is_shown() -> None:
    (chapter,) = chapters(marked("x", "+p", "a", "b", "-p", "y"), 3)
    assert outline(chapter) == [2, 3, 4, 5]
    assert (chapter.title, chapter.probe) == ("P", "p")
    assert [part.pointed for part in chapter.parts if isinstance(part, Scene)] == [False, True, False, False]


def test_an_inner_probe_run_is_shown_alone() -> None:
    entries = marked("+p", "+q", "a", "-q", "b", "-p")
    assert outline(chapters(entries, 3)[0]) == [2, 3, 4]
    assert outline(chapters(entries, 5)[0]) == [1, 2, 3, 4, 5, 6]


def test_a_probe_run_that_never_ends_lasts_to_the_end() -> None:
    assert outline(chapters(marked("x", "+p", "a", "b"), 4)[0]) == [2, 3, 4]


def test_entries_outside_of_probe_runs_are_shown_with_their_neighbours() -> None:
    (chapter,) = chapters(marked("+p", "-p", "a", "b", "+q", "-q"), 4)
    assert outline(chapter) == [3, 4]
    assert chapter.title == BETWEEN


def test_a_long_probe_run_is_shown_near_its_evidence() -> None:
    entries = marked("+p", *["x"] * 100, "-p")
    (chapter,) = chapters(entries, 50)
    assert outline(chapter) == [1, 48 - NEAR, *range(50 - NEAR, 51 + NEAR), 101 - 50 - NEAR, 102]


def test_passed_findings_show_the_pointed_entries_alone() -> None:
    (chapter,) = chapters(marked("+p", "a", "b", "c", "-p"), 2, 4, whole=False)
    assert outline(chapter) == [2, 4]


def test_two_probe_runs_are_two_chapters_up_to_a_limit() -> None:
    entries = marked(*["+p", "a", "-p"] * (CHAPTERS + 2))
    run = Run(gateway="nobody", worlds=(RecordedWorld(name="w", entries=tuple(entries)),))
    evidence = [Pointer("w", number) for number in range(2, len(entries), 3)]
    shown, lost = ChapterBuilder(run).chapters(evidence, whole=True)
    assert (len(shown), lost) == (CHAPTERS, 2)


def test_what_a_finding_points_at_has_a_limit() -> None:
    entries = marked("+p", *["x"] * (POINTERS + 5), "-p")
    evidence = [Pointer("w", number) for number in range(2, len(entries))]
    run = Run(gateway="nobody", worlds=(RecordedWorld(name="w", entries=tuple(entries)),))
    (chapter,), lost = ChapterBuilder(run).chapters(evidence, whole=False)
    assert (len(chapter.parts), lost) == (POINTERS, 5)


def test_a_page_stands_before_the_calls_that_it_caused() -> None:
    entries: list[Entry] = [
        ProbeMark(n=1, at=0.0, event="begin", probe="p"),
        Call(n=2, at=0.4, began=0.2, ended=0.4, ending="answered", request=GET),
        Log(n=3, at=0.5, stream="stdout", text="paid"),
        Page(n=4, at=0.6, began=0.1, ended=0.6, where="integration", request=GET),
        Alert(n=5, at=0.7, channel="webhook", text="x"),
        ProbeMark(n=6, at=0.7, event="end", probe="p"),
    ]
    (chapter,) = chapters(entries, 2)
    assert outline(chapter) == [1, 4, 2, 3, 5, 6]
    assert [part.caused for part in chapter.parts if isinstance(part, Scene)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_diagram_is_shown_once_for_the_same_evidence_and_again_for_other() -> None:
    exchange = Page(n=2, began=0, ended=1, where="integration", customer="Ada", request=GET)
    begin, end = ProbeMark(n=1, event="begin", probe="p"), ProbeMark(n=4, event="end", probe="p")
    entries = (begin, exchange, Alert(n=3, channel="webhook", text="x"), end)
    builder = ChapterBuilder(Run(gateway="nobody", worlds=(RecordedWorld(name="w", entries=entries),)))
    drawn = [builder.chapters([Pointer("w", n)], whole=True)[0][0].diagram is not None for n in (2, 2, 3)]
    assert drawn == [True, False, True]


PAGE: dict[str, Any] = {"began": 0, "ended": 1, "where": "integration", "request": GET}
CREATE = an_event(operation="create")
STRANGE = "integration asks the gateway: a path that the gateway does not have"
SILENT = "a connection: the TLS handshake failed"


@pytest.mark.parametrize(
    ("entry", "actor", "title", "note"),
    [
        (Call(began=0, ended=31, ending="hung_up", request=GET, event=CREATE, fault="stall"),
         "call", "integration asks the gateway: create", "the integration hung up after 31.0 s · fault: stall"),
        (Call(began=0, ended=1, ending="held", request=GET, secure=False),
         "call", STRANGE, "still open after 1.0 s · without TLS"),
        (Call(began=0, ended=1, ending="cut", request=GET, response=Response(status=200)),
         "call", f"{STRANGE} → 200", "broken off by the gateway after 1.0 s"),
        (Delivery(began=0, event="order.taken", id="n1", payment="p1", attempt=2, request=GET, seconds=0.25,
                  response=Response(status=200)),
         "call", "gateway sends the shop a notice: order.taken → 200",
         "payment p1 · notice n1, attempt 2 · answered after 0.25 s"),
        (Delivery(began=0, event="", id="", payment="", attempt=1, request=GET, seconds=5, forged="half", shape="cut",
                  problem="no answer within 5 s"),
         "call", "somebody sends the shop a forged notice: unreadable",
         "attempt 1 · forged: with half of its signature · its body: cut · no answer within 5 s"),
        (Page(**PAGE, purpose="return", order="7", customer="Ada", response=Response(status=503)),
         "customer", "Ada asks the shop → 503", "return · order 7"),
        (Page(**PAGE, problem="timed out"), "customer", "the customer asks the shop", "timed out"),
        (Ledger(event="token_issued"), "gateway", "token issued", ""),
        (Ledger(event="charged", payment="p", reference="7", amount="5000.00", currency="XAF"),
         "gateway", "charged 5,000.00 XAF", "payment p · order 7"),
        (Log(stream="stderr", text="x"), "log", "stderr", ""),
        (Checkout(order="7", amount="1.00", currency="USD", outcome="broken"),
         "customer", "the checkout of order 7 over 1.00 USD ends on an error page", ""),
        (OrderSeen(order="7", state="held", paid=False, effects=2, flagged="double payment"),
         "order", "the shop says of order 7: not paid", "state “held” · 2 fulfilments · double payment"),
        (OrderSeen(order="7", problem="404"), "order", "the shop says of order 7: unreadable", "404"),
        (FaultSet(event="armed", name="error", operation="create", detail={"status": 500}),
         "fault", "fault armed: error on create", "status = 500"),
        (Process(event="exited", code=1, detail="no module"),
         "process", "the integration exited with exit code 1", "no module"),
        (ProbeMark(event="begin", probe="p", params={"order": "7"}), "probe", "p begins", "order = 7"),
        (Step(text="The customer pays."), "probe", "The customer pays.", ""),
        (Alert(channel="webhook", text="x"), "alert", "an alert arrives on webhook", ""),
        (Connection(event="handshake_failed", detail="unknown ca"), "call", SILENT, "unknown ca"),
        (SourceSeen(area="source", path="a.py", line=3, what="a secret"),
         "process", "source scan (source): a.py:3: a secret", ""),
        (SourceSeen(area="frontend", files=4), "process", "source scan (frontend): 4 files read", ""),
    ],
)  # fmt: skip
def test_every_kind_of_entry_has_words(entry: Entry, actor: str, title: str, note: str) -> None:
    found = scene(entry, world="w", pointed=False, limit=100)
    assert (found.actor, found.title, found.note) == (actor, title, note)


def test_json_is_indented_and_everything_else_stays() -> None:
    request = Request(method="POST", url="https://h/", body='{"a":1}')
    for body, shown in (("[1]", "[\n  1\n]"), ("{broken", "{broken"), ("plain", "plain"), ("[" * 5_000, "[" * 100)):
        exchange = Call(began=0, ended=1, ending="answered", request=request, response=Response(status=200, body=body))
        asked, answered = scene(exchange, world="w", pointed=False, limit=100).messages
        assert asked.body == '{\n  "a": 1\n}'
        assert answered.body.startswith(shown)


def test_a_cut_body_says_how_much_is_missing() -> None:
    found = scene(Log(stream="stdout", text="x" * 1_500), world="w", pointed=False, limit=100)
    assert found.text == f"{'x' * 100} … (1,400 more characters)"
