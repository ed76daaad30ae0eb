"""The Markdown report: what a pull request comment shows."""

from __future__ import annotations

import dataclasses

import pytest

from payproof.contracts.model import Finding, Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import WRITERS
from payproof.reports.formats.markdown import code, escape, fence


def render(result: Result, run: Run) -> str:
    return WRITERS["markdown"].render(result, run)


def test_the_outcome_is_the_first_line(result: Result, run: Run) -> None:
    assert render(result, run).startswith(
        "## ❌ NOT READY: my-shop\n\n3 must-requirements failed, 1 could not be judged.\n"
    )


def test_the_seven_items_are_a_table(result: Result, run: Run) -> None:
    rows = [line for line in render(result, run).splitlines() if line.startswith("| ") and "| G" in line]
    assert [row.split("|")[2].strip() for row in rows] == ["G1", "G2", "G3", "G4", "G5", "G6", "G7"]
    assert {row.count("|") for row in rows} == {6}


def test_failures_carry_their_values_and_folded_evidence(result: Result, run: Run) -> None:
    text = render(result, run)
    assert '- expected `{"charges": 1, "total": "5,000.00 XAF"}`' in text
    assert '- actual `{"charges": 2, "total": "10,000.00 XAF"}`' in text
    assert "<details><summary>Evidence: <code>main#27, main#29</code></summary>" in text
    assert text.count("<details>") == text.count("</details>")


def test_what_passed_is_only_counted(result: Result, run: Run) -> None:
    text = render(result, run)
    assert "46 passed, 4 failed, 1 warned, 2 not exercised, 1 not applicable, 2 attested" in text
    assert "flow.success" not in text


def test_what_was_not_exercised_and_attested_is_listed(result: Result, run: Run) -> None:
    text = render(result, run)
    assert "- `https.certificate-verified`: nothing reached the untrusted listener" in text
    assert "- `alerts.payment-error`, `alerts.failed-verification`: vouched for by Ngozi A." in text


def test_a_contradiction_and_a_baseline_are_told(result: Result, run: Run) -> None:
    broken = [dataclasses.replace(found, verdict=Verdict.WARN) for found in result.judgements if found.contradiction]
    text = render(dataclasses.replace(result, judgements=tuple(broken)), run)
    assert "> Advice and gateway disagree: The guidance asks" in text
    assert "accepted for now: fixed in release 2.4" in render(result, run)


def test_an_unscored_run_shows_its_diagnosis(not_scored: Result, run: Run) -> None:
    text = render(not_scored, run)
    assert text.startswith("## ⚪ NOT SCORED: my-shop\n\nThe integration never called the gateway.\n")
    assert "- Its last log line: &lt;script&gt;" in text


def test_what_the_integration_wrote_last_keeps_its_lines_in_a_block(not_scored: Result, run: Run) -> None:
    trace = 'The last lines of its stderr:\nTraceback (most recent call last):\n  File "shop.py", line 3'
    text = render(dataclasses.replace(not_scored, diagnosis=("It ended.", trace, "It is *so*.")), run)
    block = '  ```text\n  Traceback (most recent call last):\n    File "shop.py", line 3\n  ```'
    assert f"\n- The last lines of its stderr:\n\n{block}\n- It is \\*so\\*.\n" in text


def test_what_ends_soon_is_told(result: Result, run: Run) -> None:
    text = render(dataclasses.replace(result, expiring=("the attestation of *monitoring* ends on 2026-12-01",)), run)
    assert "\n\nthe attestation of \\*monitoring\\* ends on 2026-12-01\n" in text


def test_hostile_text_outside_code_is_escaped(result: Result, run: Run) -> None:
    outside, inside = "", False
    for line in render(result, run).splitlines():
        inside ^= line.startswith("```")
        outside += "" if inside or "`" in line else line
    assert "<script" not in outside


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<b>&", "&lt;b&gt;&amp;"),
        ("a|b*c_d`e", r"a\|b\*c\_d\`e"),
        ("[x](y)", r"\[x\](y)"),
        ("@someone #12", "@\u2060someone #\u206012"),
        ("http://x www.y.z", "http:\u2060//x www\u2060.y.z"),
        ("two\nlines", "two lines"),
    ],
)
def test_text_is_never_read_as_markup(hostile: str, harmless: str) -> None:
    assert escape(hostile) == harmless


def test_no_backtick_ends_a_code_span_or_a_block() -> None:
    assert code("a`b") == "`` a`b ``"
    assert fence("```\nout").splitlines()[0] == "````text"


def test_a_comment_never_grows_too_long_for_github(result: Result, run: Run) -> None:
    finding = Finding(check="x.y", verdict=Verdict.FAIL, title="x" * 5_000, expected="y" * 5_000, actual="z" * 5_000)
    many = [
        dataclasses.replace(result.judgements[0], requirement=f"x.y{n}", verdict=Verdict.FAIL, findings=(finding,) * 9)
        for n in range(300)
    ]
    text = render(dataclasses.replace(result, judgements=tuple(many), reasons=("r" * 5_000,) * 300), run)
    assert len(text) < 65_536
    assert "more, see the HTML report" in text


def test_a_selection_makes_no_word_about_going_live(result: Result, run: Run) -> None:
    part = dataclasses.replace(result, outcome=Outcome.PARTIAL, judgements=result.judgements[:2], reasons=())
    assert "2 of 57 requirements judged, none failed; no word about going live." in render(part, run)
