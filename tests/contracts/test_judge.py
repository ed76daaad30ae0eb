"""From journals to verdicts: situations first, causes named, nothing counted twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from an_event import an_event

from payproof.contracts import entries as e
from payproof.contracts import journal as j
from payproof.contracts import run as r
from payproof.contracts.judging.baseline import Accepted
from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.requirements import requirements, requirements_of
from payproof.contracts.model import Attestation, Judgement, Level, Outcome, PayproofError, Result, Verdict
from payproof.contracts.profile import load

PROFILE = load("quatapay")
TODAY = date(2026, 11, 23)


def a_call(operation: str, **meaning: object) -> e.Call:
    return e.Call(
        began=0.0,
        ended=0.1,
        ending="answered",
        request=e.Request(method="POST", url="https://localhost/x"),
        response=e.Response(status=200),
        event=an_event(operation=operation, ok=True, **meaning),
    )


def a_run(*entries: e.Entry, **fields: object) -> r.Run:
    journal = j.Journal()
    for entry in entries:
        journal.add(entry)
    world = r.RecordedWorld(name="main", entries=tuple(journal.entries))
    return r.Run(gateway="quatapay", worlds=(world,), **fields)  # type: ignore[arg-type]


def of(result: Result, id: str) -> Judgement:
    return next(judgement for judgement in result.judgements if judgement.requirement == id)


def test_every_requirement_stands_in_some_checklist_or_needs_what_no_gateway_here_has() -> None:
    gateways = [load(name) for name in ("quatapay", "qrpay")]
    listed = {id for gateway in gateways for id in gateway.checklist.all_requirements()}
    assert listed <= set(requirements())
    for id in requirements().keys() - listed:
        needs = requirements()[id].needs
        assert needs, id
        assert not any(gateway.has(needs) for gateway in gateways), id


def test_the_checklist_has_seven_items_and_sixteen_guidelines_in_their_order() -> None:
    assert [item.number for item in PROFILE.checklist.golive] == [f"G{n}" for n in range(1, 8)]
    assert [item.number for item in PROFILE.checklist.guidelines] == [str(n) for n in range(1, 17)]


@pytest.mark.parametrize("id", sorted(requirements()))
def test_every_requirement_says_why_how_it_is_judged_and_how_to_mend_it(id: str) -> None:
    found = requirements()[id]
    assert found.text.endswith(".")
    assert found.why
    assert found.judged
    assert found.fix


def test_nothing_is_passed_on_an_empty_journal() -> None:
    result = judge(a_run(), PROFILE, today=TODAY)
    assert result.outcome is Outcome.NOT_READY
    assert not [judgement for judgement in result.judgements if judgement.verdict is Verdict.PASS]
    assert not [judgement for judgement in result.judgements if judgement.verdict is Verdict.ERROR]


def test_a_failed_must_stands_in_the_way_and_points_at_its_entry() -> None:
    result = judge(a_run(a_call("create", return_url="http://shop/return")), PROFILE, today=TODAY)
    found = of(result, "https.return-url")
    assert found.verdict is Verdict.FAIL
    assert found.findings[0].evidence[0].entry == 1
    assert found.findings[0].expected == {"scheme": "https"}
    assert any(reason.startswith("https.return-url") for reason in result.reasons)


def test_a_broken_should_only_warns() -> None:
    run = a_run(
        e.SourceSeen(area="source", path="a.py", line=3, what="a literal credential"),
        settings=r.Settings(scans_source=True),
    )
    result = judge(run, PROFILE, today=TODAY)
    assert of(result, "credentials.not-in-source").verdict is Verdict.WARN
    assert not any("credentials.not-in-source" in reason for reason in result.reasons)


def test_a_clean_payment_is_judged_even_when_control_failed() -> None:
    run = a_run(a_call("create", return_url="http://shop/return"), scored=False, diagnosis=("It never came back.",))
    result = judge(run, PROFILE, today=TODAY)
    assert result.outcome is Outcome.NOT_SCORED
    assert of(result, "https.return-url").verdict is Verdict.FAIL
    assert of(result, "flow.success").verdict is Verdict.NOT_EXERCISED


def test_an_attestation_covers_what_was_not_exercised_until_its_date() -> None:
    attested = Attestation(item="timeouts", by="Ada", on="2026-11-01", until="2026-12-01")
    assert (
        of(judge(a_run(), PROFILE, attestations=[attested], today=TODAY), "timeout.response").verdict
        is Verdict.ATTESTED
    )
    late = date(2026, 12, 2)
    assert (
        of(judge(a_run(), PROFILE, attestations=[attested], today=late), "timeout.response").verdict
        is Verdict.NOT_EXERCISED
    )


def test_an_attestation_never_covers_a_failure() -> None:
    attested = Attestation(item="https-everywhere", by="Ada", on="2026-11-01", until="2026-12-01")
    run = a_run(a_call("create", return_url="http://shop/return"))
    assert of(judge(run, PROFILE, attestations=[attested], today=TODAY), "https.return-url").verdict is Verdict.FAIL


def test_a_baseline_entry_accepts_a_failure_and_goes_stale_when_it_is_mended_or_past_its_date() -> None:
    entry = Accepted(check="https.return-url", reason="staging", owner="Ada", until=date(2026, 12, 1))
    bad, good = a_run(a_call("create", return_url="http://s/")), a_run(a_call("create", return_url="https://s/"))
    accepted = judge(bad, PROFILE, baseline=[entry], today=TODAY)
    assert of(accepted, "https.return-url").baseline
    assert not any("https.return-url" in reason for reason in accepted.reasons)
    assert judge(good, PROFILE, baseline=[entry], today=TODAY).stale_baseline == ("https.return-url",)
    assert judge(bad, PROFILE, baseline=[entry], today=date(2026, 12, 2)).stale_baseline == ("https.return-url",)


def test_what_another_failure_explains_does_not_count_twice() -> None:
    begin = e.ProbeMark(event="begin", probe="wrong-money", params={"field": "amount"})
    entries = (
        begin,
        e.Step(text="order", name="order:main", facts={"order": "17"}),
        e.Checkout(
            order="17", amount="5000.00", currency="XAF", outcome="redirected", payment="p1", payment_url="https://x"
        ),
        e.Step(text="tamper", name="tampered", facts={"answered": "500.00"}),
        e.Ledger(event="opened", payment="p1", reference="17"),
        e.Ledger(event="charged", payment="p1", reference="17", amount="5000.00", currency="XAF"),
        e.OrderSeen(order="17", state="paid", paid=True),
        e.ProbeMark(event="end", probe="wrong-money"),
    )
    result = judge(a_run(*entries), PROFILE, today=TODAY)
    assert of(result, "verify.status-checked").verdict is Verdict.FAIL
    explained = of(result, "verify.amount")
    assert explained.verdict is Verdict.NOT_EXERCISED
    assert explained.findings[0].because == "verify.status-checked"
    assert not any(reason.startswith("verify.amount") for reason in result.reasons)


def test_a_shortened_run_never_says_ready() -> None:
    quick = a_run(skipped=tuple(requirements()))
    assert judge(quick, PROFILE, today=TODAY).outcome is Outcome.PARTIAL
    only = replace(a_run(a_call("create", return_url="https://s/")), selected=("https.return-url",))
    result = judge(only, PROFILE, today=TODAY)
    assert result.outcome is Outcome.PARTIAL
    assert result.scope == PROFILE.checklist.all_requirements()


def test_what_a_shortened_run_did_not_judge_fails_nothing_but_what_was_asked_for_by_name() -> None:
    quick = a_run(skipped=("timeout.response",))
    assert judge(quick, PROFILE, today=TODAY).outcome is Outcome.PARTIAL
    failing = a_run(a_call("create", return_url="http://s/"), skipped=("timeout.response",))
    assert judge(failing, PROFILE, today=TODAY).outcome is Outcome.NOT_READY
    named = a_run(skipped=("timeout.response",), selected=("flow.cancelled",))
    assert judge(named, PROFILE, today=TODAY).outcome is Outcome.NOT_READY


def test_a_broken_probe_is_an_error_and_no_pass() -> None:
    run = a_run(
        a_call("create", return_url="https://s/"), facts={"errors": {"https.return-url": "the world did not start"}}
    )
    result = judge(run, PROFILE, today=TODAY)
    assert of(result, "https.return-url").verdict is Verdict.ERROR
    assert result.outcome is Outcome.NOT_READY


def test_a_run_of_another_gateway_and_an_unknown_requirement_are_refused() -> None:
    with pytest.raises(PayproofError, match="qrpay"):
        judge(replace(a_run(), gateway="qrpay"), PROFILE)
    with pytest.raises(PayproofError, match=r"no\.such"):
        judge(a_run(selected=("no.such",)), PROFILE)


def test_advice_that_contradicts_the_gateway_is_said() -> None:
    run = replace(
        a_run(
            a_call("create", bearer="<access-token-1>", reference="1"),
            a_call("create", bearer="<access-token-1>", reference="2"),
        ),
        gateway="qrpay",
    )
    found = of(judge(run, load("qrpay"), today=TODAY), "token.cached")
    assert found.verdict is Verdict.FAIL
    assert "the access token is the payment" in found.contradiction
    assert found.level is Level.MUST


def test_a_stale_entry_says_where_it_stands_and_what_to_do() -> None:
    entry = Accepted(check="https.return-url", reason="x", owner="Ada", until=date(2026, 12, 1), place="a.toml, line 4")
    bad, good = a_run(a_call("create", return_url="http://s/")), a_run(a_call("create", return_url="https://s/"))
    mended = judge(good, PROFILE, baseline=[entry], today=TODAY).reasons
    expected = (
        "https.return-url: its baseline entry in a.toml, line 4 is stale: the requirement passes now; remove the entry"
    )
    assert expected in mended
    over = judge(bad, PROFILE, baseline=[entry], today=date(2026, 12, 2)).reasons
    assert any("a.toml, line 4 is stale: it held until 2026-12-01 (Ada)" in reason for reason in over)


def test_an_attestation_that_ended_is_the_reason_why_its_requirement_was_not_exercised() -> None:
    ended = Attestation(item="timeouts", by="Ada", on="2026-10-01", until="2026-11-01")
    found = of(judge(a_run(), PROFILE, attestations=[ended], today=TODAY), "timeout.response")
    assert found.verdict is Verdict.NOT_EXERCISED
    assert found.findings[0].title.startswith("the attestation of Ada for timeouts ended on 2026-11-01")
    fresh = replace(ended, until="2026-12-01")
    both = judge(a_run(), PROFILE, attestations=[ended, fresh], today=TODAY)
    assert of(both, "timeout.response").attestation == fresh


def test_what_the_result_leans_on_is_told_thirty_days_before_it_ends() -> None:
    entry = Accepted(check="https.return-url", reason="staging", owner="Ada", until=date(2026, 12, 31))
    vouched = Attestation(item="timeouts", by="Ada", on="2026-11-01", until="2026-12-31")
    run = a_run(a_call("create", return_url="http://s/"))
    for today, count in ((date(2026, 11, 30), 0), (date(2026, 12, 1), 2)):
        result = judge(run, PROFILE, attestations=[vouched], baseline=[entry], today=today)
        assert len(result.expiring) == count
    assert result.expiring[0] == "https.return-url: the baseline accepts its failure until 2026-12-31 only"
    assert "timeout.response" in result.expiring[1]
    assert result.expiring[1].endswith("the attestation of Ada ends on 2026-12-31")


def test_a_checklist_that_names_what_does_not_exist_is_refused() -> None:
    checklist = replace(PROFILE.checklist, levels={"verify.amuont": Level.SHOULD})
    with pytest.raises(PayproofError, match=r"names verify\.amuont, and there is no such requirement"):
        requirements_of(replace(PROFILE, checklist=checklist))
