"""A journal numbers, covers and keeps its entries; a run on disk is the same run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from payproof.contracts import entries as e
from payproof.contracts import journal as j
from payproof.contracts import run as r
from payproof.contracts.model import PayproofError, Pointer
from payproof.contracts.secrets import Veil

SECRET = "abcdefghjkmnpqrstuvw123456789"


def a_run() -> r.Run:
    veil = Veil()
    veil.add("access-token", SECRET)
    journal = j.Journal(veil)
    journal.add(e.Story(event="begin", probe="steady", params={"round": 1}))
    journal.add(
        e.Call(
            began=0.1,
            ended=0.2,
            ending="answered",
            request=e.Request(
                method="POST", url="https://x/", headers=(("Authorization", f"Bearer {SECRET}"),), body="é\ud800"
            ),
            response=e.Response(status=200, body='{"a": 1}', size=8),
            meaning=e.Meaning(operation="create", bearer=SECRET),
        )
    )
    journal.add(e.OrderSeen(order="1", state="paid", paid=True, effects=2))
    return r.Run(
        gateway="quatapay",
        settings=r.Settings(within=2.5),
        worlds=(r.World(name="main", entries=tuple(journal.entries)),),
        facts={"seed": 3},
    )


def test_entries_are_numbered_from_one_and_hold_placeholders() -> None:
    run = a_run()
    assert [entry.n for entry in run.worlds[0].entries] == [1, 2, 3]
    assert SECRET not in r.dump(run)
    call = run.entry(Pointer("main", 2))
    assert isinstance(call, e.Call)
    assert call.meaning.bearer == "<access-token-1>"


def test_a_run_is_the_same_after_a_round_trip() -> None:
    run = a_run()
    assert r.load(r.dump(run)) == run


def test_a_changed_journal_is_refused() -> None:
    text = r.dump(a_run()).replace('"state": "paid"', '"state": "open"')
    with pytest.raises(PayproofError, match="digest"):
        r.load(text)


@pytest.mark.parametrize("text", ["", "nonsense", "{}", json.dumps({"payproof": "run"})])
def test_what_is_no_run_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(PayproofError) as caught:
        r.load(text, place="x.jsonl")
    assert caught.value.place == "x.jsonl"
    assert caught.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayproofError) as caught:
        r.read(tmp_path / "none.jsonl")
    assert str(tmp_path / "none.jsonl") in caught.value.place


def test_numbers_are_not_given_twice_after_clearing() -> None:
    journal = j.Journal()
    journal.add(e.Step(text="one"))
    journal.clear()
    assert journal.add(e.Step(text="two")).n == 2
