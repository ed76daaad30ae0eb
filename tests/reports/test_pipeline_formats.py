"""The formats that pipelines read, each held against its schema with a run that failed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from payproof.contracts.entries import SourceSeen
from payproof.contracts.model import Finding, Judgement, Level, Outcome, Pointer, Result, Verdict
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports import WRITERS
from payproof.reports.formats import sarif
from payproof.reports.formats.markdown import document

SCHEMAS = Path(__file__).parent / "schemas"
JSON = ("ctrf", "sarif", "gitlab", "shields")


def loaded(name: str, result: Result, run: Run) -> Any:
    return json.loads(WRITERS[name].render(result, run))


def faults(name: str, result: Result, run: Run) -> list[str]:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return [f"{error.message} {error.instance_path}" for error in validator.iter_errors(loaded(name, result, run))]


@pytest.fixture
def leaky(result: Result, run: Run) -> tuple[Result, Run]:
    """A should that fails on three lines of the source, which lies in a folder of the repository."""
    found = [
        ("shop/pay.py", 12),
        ("shop/pay.py", 40),
        ("my shop/#1.py", 3),
        ("/elsewhere/x.py", 1),
        ("a/../../b.py", 1),
    ]
    entries = tuple(
        SourceSeen(n=n, area="source", path=path, line=line, what="a secret key")
        for n, (path, line) in enumerate(found, start=1)
    )
    finding = Finding(
        check="credentials.not-in-source",
        verdict=Verdict.WARN,
        title="3 literal credential(s) in the source",
        evidence=tuple(Pointer("source", entry.n) for entry in entries),
    )
    judgement = Judgement(
        requirement="credentials.not-in-source",
        level=Level.SHOULD,
        text="The source holds no literal credential.",
        verdict=Verdict.WARN,
        findings=(finding,),
    )
    world = RecordedWorld(name="source", entries=entries)
    return (
        dataclasses.replace(result, judgements=(*result.judgements, judgement)),
        dataclasses.replace(run, worlds=(*run.worlds, world), facts={**run.facts, "folder": "apps/shop"}),
    )


@pytest.mark.parametrize("name", JSON)
def test_each_format_keeps_its_schema(
    name: str, result: Result, not_scored: Result, empty: Result, leaky: tuple[Result, Run], run: Run
) -> None:
    for each, of in ((result, run), (not_scored, run), (empty, Run(gateway="nobody")), leaky):
        assert faults(name, each, of) == []


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("ctrf", '"failed"', '"broken"'),
        ("sarif", '"level": "error"', '"level": "fatal"'),
        ("gitlab", '"critical"', '"high"'),
        ("shields", '"message"', '"text"'),
    ],
)
def test_each_schema_refuses_a_wrong_word(name: str, right: str, wrong: str, result: Result, run: Run) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    text = WRITERS[name].render(result, run)
    assert right in text
    assert not jsonschema_rs.is_valid(schema, json.loads(text.replace(right, wrong)))


def ctrf(result: Result, run: Run) -> dict[str, dict[str, Any]]:
    return {test["name"]: test for test in loaded("ctrf", result, run)["results"]["tests"]}


def test_ctrf_counts_what_it_lists(result: Result, run: Run) -> None:
    results = loaded("ctrf", result, run)["results"]
    summary, tests = results["summary"], results["tests"]
    assert (summary["tests"], summary["passed"], summary["failed"], summary["skipped"]) == (58, 47, 5, 6)
    for status in ("passed", "failed", "skipped"):
        assert summary[status] == sum(test["status"] == status for test in tests)
    assert summary["stop"] - summary["start"] == 41_240
    assert summary["start"] == 1_795_427_640_000  # 2026-11-23T09:54:00Z
    assert results["environment"]["extra"]["seed"] == "4711"


def test_ctrf_keeps_payproofs_own_word(result: Result, run: Run) -> None:
    found = ctrf(result, run)
    assert (found["timeout.drip"]["status"], found["timeout.drip"]["rawStatus"]) == ("passed", "warn")
    assert found["timeout.drip"]["message"] == "still reading after 60 s of one byte a second"
    assert (found["errors.rate-limit"]["status"], found["errors.rate-limit"]["rawStatus"]) == ("failed", "error")
    assert found["logs.no-access-token"]["status"] == "skipped"
    assert found["verify.unreachable"]["message"].startswith("not exercised: no status check")
    assert "message" not in found["flow.success"]


def test_ctrf_says_when_the_probe_runs_of_a_requirement_went_on(result: Result, run: Run) -> None:
    provoked = dataclasses.replace(run, provoked_by={"idempotency.double-submit": ("double-submit",)})
    test = ctrf(result, provoked)["idempotency.double-submit"]
    assert (test["duration"], test["stop"] - test["start"]) == (78, 78)
    assert "start" not in ctrf(result, provoked)["https.certificate-verified"]


def scan(result: Result, run: Run) -> dict[str, Any]:
    (found,) = loaded("sarif", result, run)["runs"]
    return dict(found)


def test_sarif_has_a_result_for_each_thing_to_mend_the_worst_first(result: Result, run: Run) -> None:
    assert [(each["ruleId"], each["level"]) for each in scan(result, run)["results"]] == [
        ("verify.forged-return", "error"),
        ("idempotency.double-submit", "error"),
        ("errors.friendly", "error"),
        ("errors.rate-limit", "error"),
        ("verify.unreachable", "error"),
        ("timeout.drip", "warning"),
    ]


def test_each_sarif_result_names_its_rule_and_the_rule_says_how_to_mend_it(result: Result, run: Run) -> None:
    document = scan(result, run)
    rules = document["tool"]["driver"]["rules"]
    for each in document["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
    rule = next(rule for rule in rules if rule["id"] == "idempotency.double-submit")
    assert "**Fix**: " in rule["help"]["markdown"]
    assert "payproof explain idempotency.double-submit" in rule["help"]["text"]


def test_a_sarif_message_holds_the_values_and_the_evidence(result: Result, run: Run) -> None:
    found = next(each for each in scan(result, run)["results"] if each["ruleId"] == "idempotency.double-submit")
    lines = found["message"]["text"].splitlines()
    assert lines[0] == "charged twice, 10,000.00 XAF, for one order of 5,000.00 XAF"
    assert lines[1] == 'Expected: {"charges": 1, "total": "5,000.00 XAF"}'
    assert lines[3] == "Evidence in run.jsonl: main#27, main#29"


def places(result: Result, run: Run, name: str) -> list[tuple[str, int]]:
    found = [
        each["locations"][0]["physicalLocation"] for each in scan(result, run)["results"] if each["ruleId"] == name
    ]
    return [(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in found]


def test_a_failure_is_shown_where_the_source_has_it_else_at_the_configuration(leaky: tuple[Result, Run]) -> None:
    assert places(*leaky, "credentials.not-in-source") == [
        ("apps/shop/shop/pay.py", 12),
        ("apps/shop/shop/pay.py", 40),
        ("apps/shop/my%20shop/%231.py", 3),
    ]
    assert places(*leaky, "timeout.drip") == [("apps/shop/payproof.toml", 1)]
    locations = [each["location"] for each in loaded("gitlab", *leaky) if each["check_name"].startswith("cred")]
    assert [each["path"] for each in locations][2] == "apps/shop/my shop/#1.py"
    assert "::warning file=apps/shop/shop/pay.py,line=12," in WRITERS["annotations"].render(*leaky)


@pytest.mark.parametrize("folder", ["/etc", "../..", ""])
def test_a_folder_from_elsewhere_leads_nowhere(folder: str, result: Result, run: Run) -> None:
    elsewhere = dataclasses.replace(run, facts={**run.facts, "folder": folder})
    assert places(result, elsewhere, "timeout.drip") == [("payproof.toml", 1)]


@pytest.mark.parametrize("name", ["sarif", "gitlab"])
def test_a_fingerprint_is_the_failures_own_and_survives_other_words_and_lines(
    name: str, leaky: tuple[Result, Run]
) -> None:
    def marks(result: Result, run: Run) -> list[str]:
        if name == "gitlab":
            return [each["fingerprint"] for each in loaded("gitlab", result, run)]
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in scan(result, run)["results"]]

    result, run = leaky
    moved = tuple(
        dataclasses.replace(entry, line=entry.line + 7) if isinstance(entry, SourceSeen) else entry
        for entry in run.worlds[-1].entries
    )
    later = dataclasses.replace(run, worlds=(*run.worlds[:-1], dataclasses.replace(run.worlds[-1], entries=moved)))
    reworded = tuple(
        dataclasses.replace(
            each, findings=tuple(dataclasses.replace(finding, title="else") for finding in each.findings)
        )
        for each in result.judgements
    )
    assert marks(result, run) == marks(dataclasses.replace(result, judgements=reworded), later)
    assert len(set(marks(result, run))) == len(marks(result, run)) == 9


def test_sarif_shows_the_worst_5000_and_counts_the_others(result: Result, run: Run) -> None:
    entries = tuple(SourceSeen(n=n, area="source", path=f"f{n}.py", line=1, what="x") for n in range(1, 5_100))
    finding = Finding(
        check="x", verdict=Verdict.WARN, title="", evidence=tuple(Pointer("s", n) for n in range(1, 5_100))
    )
    drip = next(each for each in result.judgements if each.requirement == "timeout.drip")
    many = dataclasses.replace(
        result,
        judgements=(*result.judgements, dataclasses.replace(drip, requirement="x.y", findings=(finding,))),
    )
    found = scan(many, dataclasses.replace(run, worlds=(*run.worlds, RecordedWorld(name="s", entries=entries))))
    assert len(found["results"]) == sarif.MOST == 5_000
    assert found["results"][0]["ruleId"] == "verify.forged-return"
    (note,) = found["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("105 more results are left out")


def test_a_run_that_was_not_scored_is_something_to_mend(not_scored: Result, run: Run) -> None:
    found = scan(not_scored, run)
    assert found["invocations"][0]["executionSuccessful"] is False
    assert [each["ruleId"] for each in found["results"]] == ["verdict"]
    assert [each["severity"] for each in loaded("gitlab", not_scored, run)] == ["blocker"]
    (line,) = WRITERS["annotations"].render(not_scored, run).splitlines()
    assert line == "::error title=payproof%3A verdict::not scored: The integration never called the gateway."


def test_what_the_baseline_accepts_is_nothing_to_mend(result: Result, run: Run) -> None:
    accepted = "logs.no-access-token"
    for name in ("sarif", "gitlab", "annotations"):
        assert "the access token is in stderr" not in WRITERS[name].render(result, run)
    assert any(each.requirement == accepted and each.verdict is Verdict.FAIL for each in result.judgements)


def test_annotations_are_the_verdict_and_the_worst_ten(result: Result, run: Run) -> None:
    failing = next(each for each in result.judgements if each.requirement == "errors.friendly")
    more = tuple(dataclasses.replace(failing, requirement=f"x.y{n}") for n in range(9))
    lines = (
        WRITERS["annotations"]
        .render(dataclasses.replace(result, judgements=(*result.judgements, *more)), run)
        .splitlines()
    )
    assert lines[0].startswith("::notice title=payproof%3A NOT READY::12 must-requirements failed")
    assert len(lines) == 12
    assert all(line.startswith("::error title=payproof%3A ") for line in lines[1:11])
    assert lines[11] == "::notice title=payproof::and 5 more, see the reports"


def test_a_hostile_text_is_no_command(result: Result, run: Run) -> None:
    title = "100 %\r\n::add-mask::x\n##[error]y,z::w"
    failing = next(each for each in result.judgements if each.requirement == "errors.friendly")
    finding = dataclasses.replace(failing.findings[0], title=title)
    hostile = dataclasses.replace(failing, requirement="a,b:c\n::x", findings=(finding,))
    text = WRITERS["annotations"].render(dataclasses.replace(result, judgements=(hostile,)), run)
    assert text.splitlines()[1] == (
        "::error title=payproof%3A a%2Cb%3Ac %3A%3Ax::100 %25 ::add-mask::x ##[error]y,z::w"
    )
    assert len(text.splitlines()) == 2


def test_the_summary_has_room_for_failures_that_a_comment_has_not(result: Result, run: Run) -> None:
    finding = Finding(check="x", verdict=Verdict.FAIL, title="ü" * 5_000, expected="y" * 5_000, actual="z" * 5_000)
    many = [
        dataclasses.replace(result.judgements[0], requirement=f"x.y{n}", verdict=Verdict.FAIL, findings=(finding,) * 9)
        for n in range(100)
    ]
    long = dataclasses.replace(result, judgements=tuple(many))
    comment, summary = WRITERS["markdown"].render(long, run), WRITERS["summary"].render(long, run)
    assert len(comment.encode()) < 65_536 < len(summary.encode()) < 2**20
    assert ("more, see the HTML report." in comment, "more, see the HTML report." in summary) == (True, False)


def test_a_summary_without_end_is_cut_and_says_so(result: Result, run: Run) -> None:
    finding = Finding(check="x", verdict=Verdict.FAIL, title="ü" * 5_000, expected="y" * 5_000, actual="z" * 5_000)
    silent = Finding(check="x", verdict=Verdict.NOT_EXERCISED, title="w" * 5_000)
    many = [
        dataclasses.replace(result.judgements[0], requirement=f"x.y{n}", verdict=each.verdict, findings=(each,) * 9)
        for each in (finding, silent)
        for n in range(1_000)
    ]
    text = document(dataclasses.replace(result, judgements=tuple(many)), run, room=1_000_000)
    assert len(text.encode()) < 1_000_000
    assert "more, see the HTML report." in text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_both_badges_say_the_outcome_in_the_same_colour(outcome: Outcome, result: Result, run: Run) -> None:
    changed = dataclasses.replace(result, outcome=outcome)
    data, picture = loaded("shields", changed, run), ET.fromstring(WRITERS["badge"].render(changed, run))
    word = outcome.value.replace("_", " ").upper()
    assert data["message"] == word
    assert picture.get("aria-label") == f"payproof: {word}"
    assert f"#{data['color']}" in {each.get("fill") for each in picture.iter()}
    letters = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert letters == ["payproof", word]
