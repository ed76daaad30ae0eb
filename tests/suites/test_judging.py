"""``payproof check``, ``report`` and ``replay`` on files that somebody changed: a result or a message, never a failure of payproof's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from an_event import an_event
from changed_json import places, put
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payproof.contracts import entries as e
from payproof.contracts import run as r
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.suites.commands import command
from payproof.suites.explorer import file as stories


def whole() -> r.Run:
    journal = Journal(clock=lambda: 1.0)
    journal.add(e.ProbeMark(event="begin", probe="control", params={"round": 1}))
    journal.add(e.Step(text="a customer", name="order:main", facts={"order": "1"}))
    journal.add(
        e.Call(
            began=0.1,
            ended=0.2,
            ending="answered",
            request=e.Request(method="POST", url="https://x/pay/sandbox/api/v1/payment/create", body="{}"),
            response=e.Response(status=200, body='{"a": 1}', size=8),
            event=an_event(operation="create", ok=True, payment="p", amount="5.00", currency="XAF", reference="1"),
        )
    )
    journal.add(e.Checkout(order="1", amount="5.00", currency="XAF", outcome="redirected", payment="p"))
    journal.add(e.OrderSeen(order="1", state="paid", paid=True, effects=2))
    journal.add(e.Log(stream="stdout", text="paid"))
    journal.add(e.ProbeMark(event="end", probe="control"))
    facts: dict[str, Any] = {
        "seed": 3,
        "name": "shop",
        "started": "2026-11-28T10:00:00Z",
        "errors": {},
        "target": "simulator",
    }
    return r.Run(
        gateway="quatapay", worlds=(r.RecordedWorld(name="main", entries=tuple(journal.entries)),), facts=facts
    )


LINES = r.dump(whole()).splitlines()[:-1]
ANY: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**17,
        1e14,
        "",
        "x" * 3000,
        "1e999999999",
        "\ud800",
        "\u202e",
        [],
        {},
        [[1]],
        {"a": {"b": []}},
        "token",
    ]
)


def sealed(lines: list[str]) -> str:
    return "\n".join([*lines, json.dumps({"end": len(lines) - 1, "digest": r.digest("\n".join(lines))})]) + "\n"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_run_is_told_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    lines = list(LINES)
    number = data.draw(st.integers(0, len(lines) - 1))
    raw = json.loads(lines[number])
    lines[number] = json.dumps(put(raw, data.draw(st.sampled_from(places(raw))), data.draw(ANY)))
    path = tmp_path / "run.jsonl"
    path.write_text(sealed(lines))
    for name in ("check", "report"):
        code = command([name, str(path), "--report-dir", str(tmp_path / "out")])
        assert code in (0, 1, 2)
        assert "payproof itself failed" not in capsys.readouterr().err


STORY: dict[str, Any] = {
    "payproof": "story",
    "version": 1,
    "gateway": "quatapay",
    "integration": "shop",
    "seed": 1,
    "orders": [{"order": 1, "amount": "5.00", "currency": "XAF", "customer": "A"}],
    "steps": [{"do": "start", "order": 1, "how": "fresh"}, {"do": "pay", "page": 1, "then": "return"}],
    "told": [],
    "broken": [{"rule": "money", "order": 1, "expected": 1, "actual": 2}],
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(places(STORY)), value=ANY)
def test_a_changed_story_is_read_or_refused(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    file = tmp_path / "story-1.json"
    file.write_text(json.dumps(put(STORY, path, value)))
    try:
        stories.read(file)
    except PayproofError as error:
        refusal = error
    else:
        return
    assert len(refusal.message) < 2_000, refusal.message


def test_a_story_is_read_within_bounds(tmp_path: Path) -> None:
    file = tmp_path / "story-1.json"
    changes: tuple[dict[str, Any], ...] = (
        {"steps": [*STORY["steps"], {"do": "jump", "seconds": 10**12}]},
        {"orders": [{**STORY["orders"][0], "amount": "1e999999999"}]},
        {"orders": [{**STORY["orders"][0], "amount": "-5"}]},
        {"steps": STORY["steps"] * 1_000},
    )
    for change in changes:
        file.write_text(json.dumps({**STORY, **change}))
        with pytest.raises(PayproofError, match="not a whole story"):
            stories.read(file)
    file.write_text("[" * 100_000)
    with pytest.raises(PayproofError, match="nested deeper"):
        stories.read(file)


def test_a_cut_run_is_told_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("\n".join(LINES) + '\n{"world": "ma')
    assert command(["check", str(path), "--report-dir", str(tmp_path / "out")]) == 2
    assert "the run was cut off after 7 entries; what is there was judged" in capsys.readouterr().out
    assert command(["check", str(tmp_path / "out" / "run.jsonl"), "--report-dir", str(tmp_path / "again")]) == 2
    assert "cut off after 7 entries" in capsys.readouterr().out
    path.write_text(r.dump(whole()).replace("paid", "open"))
    assert command(["check", str(path)]) == 2
    assert "digest does not agree" in capsys.readouterr().err
