"""A journal numbers, covers and keeps its entries; a run on disk is the same run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from payproof.contracts import journal as j
from payproof.contracts.model import PayproofError, Pointer
from payproof.contracts.secrets import Veil

SECRET = "abcdefghjkmnpqrstuvw123456789"


def a_run() -> j.Run:
    veil = Veil()
    veil.add("access-token", SECRET)
    journal = j.Journal(veil)
    journal.add(j.Story(event="begin", probe="steady", params={"round": 1}))
    journal.add(
        j.Call(
            began=0.1,
            ended=0.2,
            ending="answered",
            request=j.Request(
                method="POST", url="https://x/", headers=(("Authorization", f"Bearer {SECRET}"),), body="é\ud800"
            ),
            response=j.Response(status=200, body='{"a": 1}', size=8),
            meaning=j.Meaning(operation="create", bearer=SECRET),
        )
    )
    journal.add(j.OrderSeen(order="1", state="paid", paid=True, effects=2))
    return j.Run(
        gateway="quatapay",
        settings=j.Settings(within=2.5),
        worlds=(j.World(name="main", entries=tuple(journal.entries)),),
        facts={"seed": 3},
    )


def test_entries_are_numbered_from_one_and_hold_placeholders() -> None:
    run = a_run()
    assert [entry.n for entry in run.worlds[0].entries] == [1, 2, 3]
    assert SECRET not in j.dump(run)
    call = run.entry(Pointer("main", 2))
    assert isinstance(call, j.Call)
    assert call.meaning.bearer == "<access-token-1>"


def test_a_run_is_the_same_after_a_round_trip() -> None:
    run = a_run()
    assert j.load(j.dump(run)) == run


def test_a_changed_journal_is_refused() -> None:
    text = j.dump(a_run()).replace('"state": "paid"', '"state": "open"')
    with pytest.raises(PayproofError, match="digest"):
        j.load(text)


@pytest.mark.parametrize("text", ["", "nonsense", "{}", json.dumps({"payproof": "run"})])
def test_what_is_no_run_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(PayproofError) as caught:
        j.load(text, place="x.jsonl")
    assert caught.value.place == "x.jsonl"
    assert caught.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayproofError) as caught:
        j.read(tmp_path / "none.jsonl")
    assert str(tmp_path / "none.jsonl") in caught.value.place


def test_numbers_are_not_given_twice_after_clearing() -> None:
    journal = j.Journal()
    journal.add(j.Step(text="one"))
    journal.clear()
    assert journal.add(j.Step(text="two")).n == 2
