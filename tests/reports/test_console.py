"""The console's checklist, as a terminal, a pipe and an old terminal show it."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from payproof.contracts.model import Finding, Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports.console import checklist


def shown(
    result: Result, run: Run, *, encoding: str = "utf-8", colour: bool = False, width: int = 80, verbose: bool = False
) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    console = Console(file=file, width=width, force_terminal=colour, color_system="standard" if colour else None)
    checklist(result, run, console=console, verbose=verbose)
    file.flush()
    return raw.getvalue().decode(encoding)


def test_the_seven_items_come_before_the_guidelines(result: Result, run: Run) -> None:
    text = shown(result, run)
    assert (
        text.index("Go-live checklist")
        < text.index("G7 Duplicate")
        < text.index("Guidelines")
        < text.index("16 Monitoring")
    )


def test_the_head_names_the_run(result: Result, run: Run) -> None:
    assert "payproof  my-shop\nquatapay 2026.11 · simulator · seed 4711 · 41.2 s\n" in shown(result, run)


def test_an_item_shows_its_mark_its_share_and_one_line_of_cause(result: Result, run: Run) -> None:
    lines = shown(result, run).splitlines()
    place = next(number for number, line in enumerate(lines) if "G7 " in line)
    assert lines[place].startswith(" ✗  G7 Duplicate order protection")
    assert lines[place].endswith("4 of 5")
    assert lines[place + 1].strip() == "idempotency.double-submit"


def test_a_failure_shows_expected_actual_evidence_and_what_to_do(result: Result, run: Run) -> None:
    text = shown(result, run)
    section = text[text.index("\n✗ idempotency.double-submit") :].split("\n\n")[0]
    assert "charged twice, 10,000.00 XAF, for one order of 5,000.00 XAF" in section
    assert 'expected {"charges": 1' in section
    assert 'actual {"charges": 2' in section
    assert "evidence main#27, main#29" in section
    assert "next payproof explain idempotency.double-submit" in section


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_wider_than_the_console_or_ends_in_blanks(
    result: Result, run: Run, width: int, encoding: str
) -> None:
    for line in shown(result, run, width=width, encoding=encoding, verbose=True).splitlines():
        assert len(line) <= width
        assert line == line.rstrip()


def test_there_is_no_colour_outside_a_terminal(result: Result, run: Run) -> None:
    assert "\x1b" not in shown(result, run)
    assert "\x1b[" in shown(result, run, colour=True)


def test_a_hostile_text_cannot_steer_the_terminal(result: Result, run: Run) -> None:
    assert "\x1b[31malert" not in shown(result, run, colour=True)
    assert "\x00" not in shown(result, run)


def test_square_brackets_are_not_read_as_styles(result: Result, run: Run) -> None:
    named = dataclasses.replace(result, facts={"name": "[red]shop[/red]"})
    assert "[red]shop[/red]" in shown(named, run)


def test_an_ascii_console_gets_ascii(result: Result, run: Run) -> None:
    named = dataclasses.replace(result, facts={"name": "Café – “shop” 店"})
    text = shown(named, run, encoding="ascii")
    assert 'Cafe - "shop" ?' in text
    assert " FAIL  G3 Payment verified from the server" in text


def test_what_was_not_exercised_is_listed_by_reason_and_never_counted_as_passed(result: Result, run: Run) -> None:
    text = shown(result, run)
    assert "Not exercised (2)" in text
    assert "no status check was ever made for this order (mend verify.status-checked first)" in " ".join(text.split())
    assert "46 passed, 4 failed, 1 warned, 2 not exercised" in text


def test_passed_requirements_are_only_listed_on_request(result: Result, run: Run) -> None:
    assert "Passed (46)" not in shown(result, run)
    verbose = shown(result, run, verbose=True)
    assert "Passed (46)" in verbose
    assert "advice and gateway disagree: The guidance asks" in verbose


def test_what_the_baseline_accepts_is_said_so(result: Result, run: Run) -> None:
    text = shown(result, run)
    assert "Failed (4, 1 accepted for now)" in text
    assert "accepted for now: fixed in release 2.4" in text


def last(text: str) -> str:
    return text.rstrip().splitlines()[-1]


def test_the_last_line_is_the_answer(result: Result, run: Run, not_scored: Result) -> None:
    assert last(shown(result, run)) == "NOT READY: 3 must-requirements failed, 1 could not be judged."
    ready = dataclasses.replace(result, outcome=Outcome.READY, reasons=())
    text = " ".join(shown(ready, run).split())
    assert "READY: every must-requirement holds. Not judged in this version: https.certificate-verified" in text
    assert last(shown(not_scored, run)) == "NOT SCORED: The integration never called the gateway."
    part = dataclasses.replace(result, outcome=Outcome.PARTIAL, reasons=(), judgements=result.judgements[:1])
    assert "1 of 57 requirements judged, none failed" in last(shown(part, run))


def test_requirements_that_nobody_tried_are_counted_in_the_answer(result: Result, run: Run) -> None:
    open_ = tuple(dataclasses.replace(found, verdict=Verdict.NOT_EXERCISED) for found in result.judgements[:2])
    short = dataclasses.replace(result, judgements=open_, reasons=("a.b: never", "c.d: never"))
    assert last(shown(short, run)) == "NOT READY: 2 were not exercised."


def test_a_stale_baseline_entry_is_named(result: Result, run: Run) -> None:
    stale = dataclasses.replace(result, judgements=(), stale_baseline=("a.b",), reasons=("a.b: the entry is stale",))
    text = shown(stale, run)
    assert "- a.b: the entry is stale" in text
    assert last(text) == "NOT READY: 1 baseline entry is stale."


def test_an_unscored_run_says_why_and_blames_no_item(not_scored: Result, run: Run, result: Result) -> None:
    silent = tuple(
        dataclasses.replace(found, verdict=Verdict.NOT_EXERCISED, findings=(), attestation=None)
        for found in result.judgements
    )
    text = shown(dataclasses.replace(not_scored, judgements=silent), run)
    assert "Not exercised (" not in text
    assert "G1 Credentials in the environment" not in text
    assert last(text).startswith("NOT SCORED: The integration never called the gateway.")
    wordy = shown(dataclasses.replace(not_scored, judgements=silent), run, verbose=True)
    assert "Not exercised (57)" in wordy
    assert "(and 3 more)" not in wordy


def test_an_empty_result_prints_its_outcome(empty: Result) -> None:
    assert last(shown(empty, Run(gateway="nobody"))).startswith("PARTIAL: 0 of 0")


def changed(result: Result, **verdicts: tuple[Verdict, Finding]) -> Result:
    """The same with other verdicts; a requirement's dot is two underscores here."""
    given = {name.replace("__", ".").replace("_", "-"): verdict for name, verdict in verdicts.items()}
    judgements = [
        dataclasses.replace(each, verdict=given[each.requirement][0], findings=(given[each.requirement][1],))
        if each.requirement in given
        else each
        for each in result.judgements
    ]
    return dataclasses.replace(result, judgements=tuple(judgements))


def crashed(check: str, how: str) -> tuple[Verdict, Finding]:
    title = f"the customer's request crashed: {how}"
    return Verdict.FAIL, Finding(
        check=check, verdict=Verdict.FAIL, title=title, expected="a page", actual={"status": 502}
    )


def test_requirements_whose_probes_broke_in_one_way_are_named_in_one_line(result: Result, run: Run) -> None:
    def broken(check: str, port: int) -> tuple[Verdict, Finding]:
        title = f"a probe broke: it did not answer at http://127.0.0.1:{port}/; it wrote {port}"
        return Verdict.ERROR, Finding(check=check, verdict=Verdict.ERROR, title=title)

    both = changed(
        result,
        errors__currency=broken("errors.currency", 20_001),
        errors__not_json=broken("errors.not-json", 20_002),
        flow__recovers=broken("flow.recovers", 20_003),
    )
    text = shown(both, run)
    assert text.count("it did not answer") == 1
    assert "and in the same way\n      errors.currency, errors.not-json\n" in text


def test_what_failed_in_one_way_is_told_together(result: Result, run: Run) -> None:
    broken = changed(
        result,
        errors__currency=crashed("errors.currency", "create refused"),
        errors__not_json=crashed("errors.not-json", "an answer in prose"),
    )
    text = shown(broken, run)
    assert text.count("the customer's request crashed") == 1
    assert "and in the same way\n      errors.not-json an answer in prose\n" in text
    assert "Failed (6" in text
    assert shown(broken, run, verbose=True).count("the customer's request crashed") == 2


def test_what_waits_for_a_failure_stands_with_it_and_nowhere_else(result: Result, run: Run) -> None:
    waits = Finding(
        check="verify.amount", verdict=Verdict.NOT_EXERCISED, title="no order", because="verify.forged-return"
    )
    text = shown(changed(result, verify__amount=(Verdict.NOT_EXERCISED, waits)), run)
    section = text[text.index("\n✗ verify.forged-return") :].split("\n\n")[0]
    assert "not judged because of it: verify.amount" in section
    silent = text[text.index("Not exercised (2, and 1 for the failures above)") :]
    assert "verify.amount" not in silent


def test_a_reason_is_said_once(result: Result, run: Run) -> None:
    why = "charged twice, 10,000.00 XAF, for one order of 5,000.00 XAF"
    once = dataclasses.replace(result, reasons=(f"idempotency.double-submit: {why}",))
    assert shown(once, run).count(why) == 1


def test_what_was_not_judged_is_no_part_of_the_share(result: Result, run: Run) -> None:
    silent = Finding(check="token.cached", verdict=Verdict.NOT_EXERCISED, title="one payment only")
    line = next(
        line for line in shown(changed(result, token__cached=(Verdict.NOT_EXERCISED, silent)), run).splitlines()
        if "G2 " in line
    )  # fmt: skip
    assert line.endswith("1 not exercised  3 of 3")


def test_the_whole_width_of_a_terminal_is_used_and_no_sentence_is_cut(result: Result, run: Run) -> None:
    text = shown(result, run, width=160)
    assert max(map(len, text.splitlines())) == 160
    assert "…" not in text


def test_a_value_that_is_not_there_is_not_shown(result: Result, run: Run) -> None:
    text = shown(result, run, verbose=True)
    assert "null" not in text
    assert "expected true" in text


def test_after_a_selection_only_those_left_out_probes_are_named_that_it_wanted(result: Result, run: Run) -> None:
    assert "probes left out: timeout-drip" in shown(result, run)
    wanted = {"token.cached": ("steady",), "timeout.drip": ("timeout-drip",)}
    chosen = dataclasses.replace(run, selected=("token.cached",), provoked_by=wanted)
    assert "left out" not in shown(result, chosen)
    assert "probes left out: timeout-drip" in shown(result, dataclasses.replace(chosen, selected=("timeout.drip",)))


def test_of_a_coloured_line_only_the_words_are_shown(not_scored: Result, run: Run) -> None:
    trace = "It logged a failure of its own:\n\x1b[31mERROR\x1b[0m pay\n    at pay (/shop/pay.js:3:9)"
    text = shown(dataclasses.replace(not_scored, diagnosis=("It ended.", trace)), run)
    assert "- It logged a failure of its own:\n    ERROR pay\n        at pay (/shop/pay.js:3:9)\n" in text
