"""run.jsonl as it happens, and a run that was broken off, judged as far as it goes."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from payproof.contracts import entries as e
from payproof.contracts import run as r
from payproof.contracts.journal import Journal
from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.probe_runs import probe_runs
from payproof.contracts.model import Outcome, PayproofError, Verdict
from payproof.contracts.profile import load as profile
from payproof.contracts.redaction.secrets import Redactor
from payproof.contracts.run_file import RunFile

TOKEN = "Zz91kQw7Lm3Xc5Vb8Nn2Hg4Jf6Dd0Ss1"


def a_probe_run(journal: Journal, probe: str, *lines: str) -> int:
    begin = journal.add(e.ProbeMark(event="begin", probe=probe))
    for line in lines:
        journal.add(e.Log(stream="stdout", text=line))
    journal.add(e.ProbeMark(event="end", probe=probe))
    return begin.n


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add("access-token", TOKEN)
    return redactor


def begun(redactor: Redactor, path: Path) -> RunFile:
    return RunFile(path, redactor, r.Run(gateway="quatapay", facts={"seed": 3}))


def test_what_was_written_as_it_happened_is_what_the_whole_run_holds(tmp_path: Path, redactor: Redactor) -> None:
    path = tmp_path / "run.jsonl"
    file = begun(redactor, path)
    main, other = Journal(redactor), Journal(redactor)
    main.add(e.Step(text="before anybody looked"))
    file.follow("main", main)
    file.follow("other", other)
    a_probe_run(main, "control", "one", f"Bearer {TOKEN}")
    spoiled = a_probe_run(other, "steady", "two")
    other.drop(spoiled)
    a_probe_run(other, "steady", "\ud800")
    file.settings(r.Settings(workers=3), left_out=["flow.x"])
    file.close()
    worlds = tuple(r.RecordedWorld(name=n, entries=tuple(j.entries)) for n, j in (("main", main), ("other", other)))
    run = r.Run(
        gateway="quatapay", worlds=worlds, facts={"seed": 3}, settings=r.Settings(workers=3), left_out=("flow.x",)
    )
    found = r.read(path)
    assert found.cut == 8
    assert dataclasses.replace(found, cut=None, diagnosis=()) == run == r.load(r.dump(run))
    assert TOKEN not in path.read_text()


def test_a_probe_run_is_in_the_file_when_it_has_ended_though_nobody_closes_it(
    tmp_path: Path, redactor: Redactor
) -> None:
    path = tmp_path / "run.jsonl"
    written = threading.Event()

    class WatchedRunFile(RunFile):
        def _write(self) -> None:
            super()._write()
            if "two" in path.read_text():
                written.set()

    file = WatchedRunFile(path, redactor, r.Run(gateway="quatapay"))
    journal = Journal(redactor)
    file.follow("main", journal)
    a_probe_run(journal, "control", "one")
    a_probe_run(journal, "steady", "two")
    assert written.wait(20)
    assert [entry.n for entry in r.read(path).worlds[0].entries] == [1, 2, 3, 4, 5, 6]
    file.close()


def test_a_secret_that_is_learned_late_is_taken_out_of_what_was_written(tmp_path: Path, redactor: Redactor) -> None:
    path = tmp_path / "run.jsonl"
    file = begun(redactor, path)
    journal = Journal(redactor)
    file.follow("main", journal)
    late = "Qq82jPv6Kl2Wb4Ua7Mm1Gf3He5Cc9Rr0"
    seen: list[bool] = []
    rewrite: Callable[[], None] = file._rewrite  # pyright: ignore[reportPrivateUsage]

    def watched() -> None:
        seen.append(late in path.read_text())
        rewrite()

    file._rewrite = watched  # type: ignore[method-assign]  # pyright: ignore[reportPrivateUsage]
    a_probe_run(journal, "control", f"got {late}")
    while late not in path.read_text():
        threading.Event().wait(0.01)
    redactor.learn("access-token", late)
    a_probe_run(journal, "steady", "more")
    file.close()
    assert seen == [True]
    assert late not in path.read_text()
    assert "got <access-token-2>" in path.read_text()
    assert r.read(path).cut == 6
    assert [each.name for each in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_file_or_link_of_before_is_replaced(tmp_path: Path, redactor: Redactor) -> None:
    other, path = tmp_path / "other", tmp_path / "run.jsonl"
    other.write_text("mine")
    path.symlink_to(other)
    begun(redactor, path).close()
    assert other.read_text() == "mine"
    assert r.read(path).cut == 0


def test_a_probe_run_that_was_broken_off_in_its_middle_is_left_out_though_its_end_was_written(
    tmp_path: Path, redactor: Redactor
) -> None:
    path = tmp_path / "run.jsonl"
    file = begun(redactor, path)
    journal = Journal(redactor)
    file.follow("main", journal)
    a_probe_run(journal, "control", "whole")
    journal.add(e.ProbeMark(event="begin", probe="steady"))
    journal.add(e.Log(stream="stdout", text="half"))
    journal.add(e.ProbeMark(event="end", probe="steady", params={e.BROKEN_OFF: True}))
    journal.add(e.Process(event="stopped"))
    file.close()
    found = r.read(path)
    assert [probe_run.probe for probe_run in probe_runs(found)] == ["control"]
    assert [entry.n for entry in found.worlds[0].entries] == [1, 2, 3]


def leaking() -> str:
    journal = Journal(clock=lambda: 1.0)
    a_probe_run(journal, "control", "fine")
    a_probe_run(journal, "steady", "Bearer <access-token-1>")
    journal.add(e.ProbeMark(event="begin", probe="late"))
    journal.add(e.Log(stream="stdout", text="key <secret-key-1>"))
    return r.dump(r.Run(gateway="quatapay", worlds=(r.RecordedWorld(name="main", entries=tuple(journal.entries)),)))


def test_a_cut_run_is_not_scored_and_says_what_had_failed() -> None:
    text = leaking()
    run = r.load(text[: text.rindex('{"end"')] + '{"world": "main", "te')
    assert run.cut == 8
    result = judge(run, profile("quatapay"))
    assert result.outcome is Outcome.NOT_SCORED
    assert result.diagnosis[0] == "the run was cut off after 8 entries; what is there was judged"
    assert any(line.startswith("logs.no-access-token: ") for line in result.diagnosis)
    verdicts = {judgement.requirement: judgement.verdict for judgement in result.judgements}
    assert verdicts["logs.no-access-token"] is Verdict.FAIL
    # The last probe run had not come to its end: nothing is said of it.
    assert verdicts["logs.no-secret-key"] is Verdict.PASS
    assert r.load(r.dump(run)) == run


def test_a_run_that_is_cut_anywhere_can_be_judged_and_one_that_was_changed_cannot() -> None:
    text = leaking()
    head = text.index("\n") + 1
    for at in range(head, len(text) - 1, 7):
        found = r.load(text[:at])
        assert found.cut is not None
    for at in range(20, head, 40):
        with pytest.raises(PayproofError):
            r.load(text[:at])
    with pytest.raises(PayproofError, match="digest"):
        r.load(text.replace("fine", "five"))
    lines = text.splitlines()
    with pytest.raises(PayproofError, match="digest"):
        r.load("\n".join([*lines[:3], lines[-1]]) + "\n")
    with pytest.raises(PayproofError, match="line 3 is not a journal entry"):
        r.load("\n".join([*lines[:2], "nonsense", *lines[3:-1]]) + "\n")


def test_a_whole_run_may_lack_its_last_line_break() -> None:
    assert r.load(leaking().removesuffix("\n")) == r.load(leaking())
    assert json.loads(leaking().splitlines()[0]).get("cut") is None
