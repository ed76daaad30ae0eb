"""Files from strangers: a run or an error in plain words, in no time, whatever stands in them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from an_event import an_event
from changed_json import places, put
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.contracts import bounded, money
from payproof.contracts import entries as e
from payproof.contracts import run as r
from payproof.contracts.journal import Journal
from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import load as profile
from payproof.contracts.run import reading

HUGE: dict[str, Any] = {
    "exponent": "1e999999999",
    "negative": "-1e999999999",
    "tiny": "1e-999999999",
    "zero": "0e999999999",
    "digits": "9" * 31,
    "text": "9" * 5_000_000,
    "integer": 10**5000,
    "large": "1e23",
    "float": 1e300,
    "decimals": "0." + "0" * 40 + "1",
}


@pytest.mark.parametrize("name", HUGE)
def test_an_amount_that_nobody_pays_is_none_at_once(name: str) -> None:
    value = HUGE[name]
    began = time.perf_counter()
    assert money.parse(value) is None
    if isinstance(value, str):
        assert money.show(value, "XAF") == f"{value} XAF"
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("5000.00", "5000"),
        (" 1e3 ", "1000"),
        ("99999999999999999999.99", "99999999999999999999.99"),
        ("0.000000000001", "1E-12"),
        (7, "7"),
    ],
)
def test_an_amount_that_somebody_may_pay_is_read(value: Any, amount: str) -> None:
    found = money.parse(value)
    assert found is not None
    assert found == Decimal(amount)
    assert money.spellings(found, "XAF")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 100_000, "nested deeper"),
        ("[" * 41 + "]" * 41, "nested deeper"),
        ('{"a":' * 3_000 + "1" + "}" * 3_000, "nested deeper"),
        ("1" * 5000, "5000 digits"),
        ("1e999", "reckoned"),
        ("NaN", "no number"),
        ("[-Infinity]", "no number"),
        ('{"a": 1, "a": 2}', 'key "a" stands twice'),
        ("", "Expecting value"),
    ],
)
def test_json_beyond_its_bounds_is_refused_in_plain_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        bounded.parse(text)


def a_run() -> str:
    journal = Journal(clock=lambda: 1.0)
    journal.add(e.ProbeMark(event="begin", probe="control", params={"round": 1}))
    journal.add(e.Step(text="a customer", name="order:main", facts={"order": "1"}))
    journal.add(e.Step(text="renamed", name=StepName.RENAMED, facts={"ours": "1", "order": "2"}))
    for name in StepName:
        facts: dict[str, Json] = {"promised": 5, "serving": 2, "bytes": 3, "canary": "c", "answered": "1.00"}
        journal.add(e.Step(text=name, name=name, facts={**facts, "ours": "3", "order": "4"}))
    journal.add(
        e.Call(
            began=0.1,
            ended=0.2,
            ending="answered",
            request=e.Request(method="POST", url="https://x/", headers=(("A", "b"),), body="{}"),
            response=e.Response(status=200, body='{"a": 1}', size=8),
            event=an_event(operation="create", payment="p", amount="5.00", currency="XAF", reference="1"),
        )
    )
    journal.add(e.Checkout(order="2", amount="5.00", currency="XAF", outcome="redirected", payment="p"))
    journal.add(e.OrderSeen(order="2", state="paid", paid=True, effects=2))
    journal.add(e.Ledger(event="charged", payment="p", amount="5.00", currency="XAF"))
    journal.add(e.Log(stream="stdout", text="paid"))
    journal.add(e.ProbeMark(event="end", probe="control"))
    return r.dump(
        r.Run(
            gateway="quatapay",
            worlds=(r.RecordedWorld(name="main", entries=tuple(journal.entries)),),
            facts={"seed": 3, "name": "x"},
        )
    )


WHOLE = a_run()


def sealed(lines: list[str]) -> str:
    """Lines with an end line whose digest agrees: a stranger can reckon, too."""
    return "\n".join([*lines, json.dumps({"end": len(lines) - 1, "digest": r.digest("\n".join(lines))})]) + "\n"


LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["1e999999999", "\ud800", "\0", 10**17, -1, [], {}, [[]], {"a": {}}, "main", "token", 1e14]),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_run_with_anything_in_it_is_judged_or_refused(data: st.DataObject) -> None:
    lines = WHOLE.splitlines()[:-1]
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        raw = json.loads(lines[number])
        path = data.draw(st.sampled_from(places(raw)))
        lines[number] = json.dumps(put(raw, path, data.draw(VALUE)))
        try:
            json.loads(lines[number])["world"]
        except (TypeError, KeyError):
            break
    with contextlib.suppress(PayproofError):
        run = r.load(sealed(lines))
        judge(run, profile(run.gateway))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(WHOLE)), st.integers(0, 60))
def test_a_run_with_any_bytes_in_it_is_refused(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int, gone: int
) -> None:
    raw = WHOLE.encode()
    mutated = raw[:at] + junk + raw[at + gone :]
    path = tmp_path_factory.getbasetemp() / "junk.jsonl"
    path.write_bytes(mutated)
    with contextlib.suppress(PayproofError):
        found = r.read(path)
        assert found.cut is not None or found == r.load(WHOLE)


def test_a_line_or_a_file_without_end_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST", 5_000)
    lines = WHOLE.splitlines()[:-1]
    with pytest.raises(PayproofError, match="more than 5,000"):
        r.load(sealed([*lines, json.dumps({"world": "main", "text": "x" * 5_000})]))
    path = tmp_path / "huge.jsonl"
    path.write_bytes(b"")
    os.truncate(path, reading.LARGEST + 1)
    with pytest.raises(PayproofError, match="are not read"):
        r.read(path)


@pytest.mark.parametrize("place", ["/dev/zero", "/proc/self/environ", "/"])
def test_what_is_no_regular_file_is_not_read(place: str) -> None:
    with pytest.raises(PayproofError, match="not a regular file"):
        r.read(Path(place))
