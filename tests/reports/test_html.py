"""The HTML page: self-contained, escaped, complete."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from payproof.contracts.entries import Page, ProbeMark, Request, Response, Step
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Finding, Judgement, Outcome, Pointer, Result, Verdict
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports import WRITERS, write_all
from payproof.reports.facts import golive
from payproof.reports.sequence.excerpt import excerpt
from payproof.reports.since import since


def render(result: Result, run: Run) -> BeautifulSoup:
    return BeautifulSoup(WRITERS["html"].render(result, run), "html.parser")


@pytest.fixture
def page(result: Result, run: Run) -> BeautifulSoup:
    return render(result, run)


def card(page: BeautifulSoup, requirement: str) -> Tag:
    found = page.find(id=requirement)
    assert isinstance(found, Tag)
    return found


def test_the_page_asks_nobody_for_anything(page: BeautifulSoup) -> None:
    assert not page.select("link, img, iframe, object, embed, [src], [onclick], [onerror]")
    assert not re.search(r"url\(|@import", page.style.string or "" if page.style else "")
    assert all((anchor["href"] or "")[0] == "#" for anchor in page.select("a"))


def test_only_our_own_script_may_run(page: BeautifulSoup) -> None:
    (script,) = page.select("script")
    digest = base64.b64encode(hashlib.sha256((script.string or "").encode()).digest()).decode()
    policy = page.select_one("meta[http-equiv=Content-Security-Policy]")
    assert policy is not None
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in str(policy["content"])


def test_hostile_bodies_are_text(page: BeautifulSoup) -> None:
    assert "<script>alert('owned')</script>" in card(page, "errors.friendly").get_text()
    assert len(page.select("script")) == 1


def test_the_outcome_and_the_seven_items_come_first(page: BeautifulSoup) -> None:
    assert [heading.get_text() for heading in page.select("h2")] == [
        "Go-live checklist", "Guidelines", "Requirements", "How your integration behaves", "What was tried",
        "Where the time went",
    ]  # fmt: skip
    assert [mark["aria-label"] for mark in page.select(".items.big .mark")] == [
        "passed", "passed", "failed", "not exercised", "could not be judged", "failed", "failed"
    ]  # fmt: skip
    banner = page.select_one(".banner")
    assert banner is not None
    assert banner.get_text() == "NOT READY"


def test_there_is_a_row_for_each_guideline_and_a_card_for_each_requirement(page: BeautifulSoup, result: Result) -> None:
    assert len(page.select(".items:not(.big) > li")) == len(result.guidelines)
    assert {str(found["id"]) for found in page.select(".card")} == {found.requirement for found in result.judgements}


def test_expected_and_actual_stand_side_by_side(page: BeautifulSoup) -> None:
    rows = card(page, "verify.forged-return").select(".values tbody tr")
    assert [[cell.get_text() for cell in row.select("th, td")] for row in rows] == [
        ["order", "1002", "1002"],
        ["paid", "false", "true"],
    ]
    assert ["differs" in (row.get("class") or []) for row in rows] == [False, True]


def test_evidence_is_shown_as_a_probe_run_in_its_order(page: BeautifulSoup) -> None:
    scenes = card(page, "verify.forged-return").select(".scene")
    numbers = [int(scene.select_one(".when code").get_text().split("#")[1]) for scene in scenes]  # type: ignore[union-attr]
    assert numbers == sorted(numbers)
    pointed = [scene for scene in scenes if "pointed" in (scene.get("class") or [])]
    assert len(pointed) == 2
    assert "types the success address by hand" in "".join(scene.get_text() for scene in scenes)


def test_only_failures_are_open_and_evidence_is_folded(page: BeautifulSoup) -> None:
    assert {str(found["data-verdict"]) for found in page.select(".card[open]")} == {"fail", "error"}
    assert not page.select(".evidence[open]")


def test_json_bodies_are_indented_and_placeholders_are_marked(page: BeautifulSoup) -> None:
    found = card(page, "token.cached")
    assert '{\n  "client_id": "<client-id-1>"' in found.get_text()
    assert "<access-token-1>" in {secret.get_text() for secret in found.select(".secret")}


def test_long_bodies_are_cut_with_a_note(page: BeautifulSoup) -> None:
    assert re.search(r"… \([\d,]+ more characters\)", card(page, "errors.friendly").get_text())


def test_a_contradiction_a_baseline_and_an_attestation_are_shown(page: BeautifulSoup) -> None:
    assert "Advice and gateway disagree. The guidance asks" in card(page, "token.cached").get_text()
    assert "(baseline): fixed in release 2.4" in card(page, "logs.no-access-token").get_text()
    assert "by Ngozi A. on 2026-11-20, until 2027-02-20" in card(page, "alerts.payment-error").get_text()


def test_a_cause_leads_to_the_requirement_that_must_be_mended_first(page: BeautifulSoup) -> None:
    assert card(page, "verify.unreachable").select('a[href="#verify.status-checked"]')


def test_each_reason_leads_to_its_requirement(page: BeautifulSoup) -> None:
    links = page.select(".outcome details[open] li a")
    assert [link["href"] for link in links] == ["#verify.forged-return", "#verify.unreachable"]


def test_an_unscored_run_leads_with_its_diagnosis(not_scored: Result, run: Run) -> None:
    outcome = render(not_scored, run).select_one(".outcome")
    assert outcome is not None
    assert outcome.get_text().split("\n")[1] == "NOT SCORED"
    assert "The integration never called the gateway." in outcome.get_text()


def control_run() -> Run:
    """A clean payment that the shop turned away."""
    asked = Request(method="POST", url="https://shop.localhost/checkout?step=1", body="{}")
    entries = (
        ProbeMark(n=1, at=0.0, event="begin", probe="control"),
        Page(n=2, at=0.1, began=0.1, ended=0.2, where="integration", purpose="checkout", request=asked,
             response=Response(status=404, body="no such page", size=12)),
        ProbeMark(n=3, at=0.3, event="end", probe="control"),
    )  # fmt: skip
    return Run(gateway="quatapay", worlds=(RecordedWorld(name="main", entries=entries),))


def test_a_diagnosis_leads_to_the_exchange_that_it_speaks_of(not_scored: Result) -> None:
    diagnosis = ("The checkout answered 404 at POST https://shop.localhost/checkout.", "It ended.")
    page = render(dataclasses.replace(not_scored, diagnosis=diagnosis), control_run())
    (link,) = page.select(".outcome a.entry")
    assert link.get_text() == "main#2"
    shown = page.select_one(f".control {link['href']}")
    assert shown
    assert "no such page" in shown.get_text()
    assert page.select_one(".control .drawn svg")
    assert page.select_one('.contents a[href="#control"]')


def test_what_the_integration_wrote_last_keeps_its_lines_in_the_diagnosis(not_scored: Result) -> None:
    trace = "It logged a failure of its own:\nTraceback (most recent call last):\n  File \"shop.py\", line 3\nKeyError: 'id'"
    page = render(dataclasses.replace(not_scored, diagnosis=("It ended.", trace)), control_run())
    (told,) = page.select(".diagnosis li")
    (block,) = told.select("pre.log")
    assert block.get_text() == "Traceback (most recent call last):\n  File \"shop.py\", line 3\nKeyError: 'id'"
    assert told.get_text().startswith("It logged a failure of its own:")


def test_a_run_that_was_scored_has_no_section_for_its_control_payment(result: Result) -> None:
    assert "The control payment" not in render(result, control_run()).get_text()


def test_an_item_says_what_nobody_judged_of_it(page: BeautifulSoup, result: Result) -> None:
    rows = [row for row in golive(result) if row.besides]
    assert rows
    for row in rows:
        shown = page.select_one(f"#item-{row.number} .share small")
        assert shown
        assert shown.get_text() == row.besides


def test_an_item_that_already_carries_its_number_does_not_carry_it_twice(result: Result, run: Run) -> None:
    item = dataclasses.replace(result.golive[0], title="G1 Credentials in the environment")
    page = render(dataclasses.replace(result, golive=(item,)), run)
    title = page.select_one(".items.big .title")
    assert title is not None
    assert title.get_text() == "Credentials in the environment"


def failed(result: Result, *evidence: Pointer) -> Result:
    finding = Finding(check="x.y", verdict=Verdict.FAIL, title="", evidence=evidence)
    judgement = dataclasses.replace(result.judgements[0], verdict=Verdict.FAIL, findings=(finding, finding))
    return dataclasses.replace(result, judgements=(judgement,))


def test_a_probe_run_is_shown_whole_once_and_linked_afterwards(result: Result, run: Run) -> None:
    page = render(failed(result, Pointer("main", 21)), run)
    first, second = page.select(".chapter")
    assert len(first.select(".scene")) > len(second.select(".scene")) == 1
    assert len(page.select(".sequence")) == 1
    assert second.select(f'a[href="#{first["id"]}"]')


def test_evidence_that_is_in_no_journal_is_said_to_be_elsewhere(result: Result, run: Run) -> None:
    page = render(failed(result, Pointer("gone", 1), Pointer("main", 9_999)), run)
    assert "2 more entries, see run.jsonl." in page.get_text()
    assert not page.select(".evidence .scene")


def test_many_findings_are_folded(result: Result, run: Run) -> None:
    finding = Finding(check="x.y", verdict=Verdict.FAIL, title="again")
    judgement = dataclasses.replace(result.judgements[0], verdict=Verdict.FAIL, findings=(finding,) * 30)
    page = render(dataclasses.replace(result, judgements=(judgement,)), run)
    assert len(page.select(".inside > .finding")) == 3
    assert len(page.select(".folded .finding")) == 20
    assert "And 7 more findings" in page.get_text()


def test_a_finding_has_its_probe_run_as_a_diagram_with_what_it_points_at_marked(page: BeautifulSoup) -> None:
    (diagram,) = card(page, "verify.forged-return").select(".sequence")
    text = diagram.get_text(" ")
    assert "Without having paid, the customer types the success address by hand." in text
    assert "GET /return/1002" in text
    assert diagram.select(".band")
    assert not card(page, "flow.success").select(".sequence")


def test_a_long_probe_run_is_drawn_around_what_is_pointed_at() -> None:
    steps = [Step(n=number, at=number / 10, text=f"step {number}") for number in range(1, 101)]
    asked = Request(method="GET", url="https://shop.test/")
    page = Page(n=101, at=5.05, began=5.05, ended=5.06, where="integration", customer="Ada", request=asked)
    drawn = str(excerpt([*steps, page], {60}))
    assert "step 60" in drawn
    assert "step 1<" not in drawn
    assert "lines before this are not shown" in drawn
    assert "more lines are not shown" in drawn
    assert excerpt(steps, {60}) is None


def test_what_waits_for_one_failure_is_told_with_it(result: Result, run: Run) -> None:
    waiting = [dataclasses.replace(each, requirement=f"x.{n}") for n, each in enumerate(held_up(result) * 2)]
    cause = next(each for each in result.judgements if each.requirement == "verify.status-checked")
    page = render(dataclasses.replace(result, judgements=(cause, *waiting)), run)
    links = card(page, "verify.status-checked").select(".note a")
    assert [link["href"] for link in links] == ["#x.0", "#x.1"]


def held_up(result: Result) -> list[Judgement]:
    return [each for each in result.judgements if each.requirement == "verify.unreachable"]


def test_nothing_is_green_in_a_run_that_was_not_scored(result: Result, run: Run) -> None:
    page = render(dataclasses.replace(result, outcome=Outcome.NOT_SCORED, diagnosis=("It never called.",)), run)
    assert "✓" not in page.get_text()
    assert not page.select(".items .mark.pass")
    assert page.select("main.unscored")


def test_the_worst_comes_first_and_each_requirement_once(page: BeautifulSoup, result: Result) -> None:
    assert [group["class"][1] for group in page.select(".group")] == [
        "fail", "error", "warn", "not_exercised", "attested", "pass", "not_applicable"
    ]  # fmt: skip
    ids = [str(found["id"]) for found in page.select(".card")]
    assert len(ids) == len(set(ids)) == len(result.judgements)


def test_a_failure_is_told_once_and_linked_from_its_items(page: BeautifulSoup) -> None:
    title = "charged twice, 10,000.00 XAF, for one order of 5,000.00 XAF"
    assert len(page.find_all(string=title)) == 1
    links = page.select('.items a[href="#idempotency.double-submit"]')
    assert len(links) == 2
    assert {str(link["href"]) for link in card(page, "idempotency.double-submit").select(".part a")} == {
        f"#{item['id']}" for link in links if (item := link.find_parent("li"))
    }


def test_a_failure_says_why_how_it_is_fixed_and_how_it_is_tried_again(page: BeautifulSoup) -> None:
    block = card(page, "idempotency.double-submit").select_one(".about-it")
    assert block
    about = requirements()["idempotency.double-submit"]
    shown = " ".join(block.get_text(" ").split())
    assert about.why in shown
    assert about.fix in shown
    assert "payproof run --only idempotency.double-submit --seed 4711" in shown
    assert "IntegrityError" in shown  # the run's command is python's
    passed = card(page, "token.cached").get_text()
    assert requirements()["token.cached"].judged in passed
    assert requirements()["token.cached"].fix not in passed


def test_a_probe_run_is_headed_by_what_it_is_about(result: Result, run: Run) -> None:
    described = dataclasses.replace(run, facts={**run.facts, "probes": {"forged-return": "The customer never pays"}})
    found = card(render(result, described), "verify.forged-return")
    assert found.select_one(".drawing > summary").get_text() == "The customer never pays"  # type: ignore[union-attr]
    assert found.select_one(".chapter > .where").get_text() == "world main · forged-return, order 1002"  # type: ignore[union-attr]


def test_what_was_not_exercised_stands_under_its_reason(result: Result, run: Run) -> None:
    reason = "left out of this shortened run"
    finding = Finding(check="x", verdict=Verdict.NOT_EXERCISED, title=reason)
    silent = [
        dataclasses.replace(each, verdict=Verdict.NOT_EXERCISED, findings=(finding,), attestation=None)
        for each in result.judgements[:4]
    ]
    page = render(dataclasses.replace(result, judgements=tuple(silent)), run)
    assert [found.get_text() for found in page.select(".reason")] == [reason]
    assert len(page.select(".group .cards .card")) == 4


def test_a_log_line_that_is_evidence_is_marked_and_has_its_anchor(page: BeautifulSoup) -> None:
    (line,) = card(page, "logs.no-access-token").select("pre.log .pointed")
    assert str(line["id"]).startswith("entry-faults-")
    assert "<access-token-1>" in line.get_text()


def test_the_page_tells_what_changed_since_the_report_in_the_folder(result: Result, run: Run, tmp_path: Path) -> None:
    broken = next(each for each in result.judgements if each.requirement == "verify.forged-return")
    mended = dataclasses.replace(broken, verdict=Verdict.PASS)
    judgements = tuple(mended if each is broken else each for each in result.judgements)
    earlier = dataclasses.replace(
        result, judgements=judgements, facts={**result.facts, "started": "2026-11-20T08:00:00Z"}
    )
    for each in (earlier, result):
        write_all(each, run, tmp_path, ["json", "html"])
    page = BeautifulSoup((tmp_path / "report.html").read_text(encoding="utf-8"), "html.parser")
    since = page.select_one(".since")
    assert since
    assert "(2026-11-20 08:00 UTC): 1 newly failing, 0 mended" in since.get_text()
    assert [link["href"] for link in since.select("a")] == ["#verify.forged-return"]


@pytest.mark.parametrize("lies_there", ["nothing", "the same run", "another shop", "no report"])
def test_nothing_is_compared_with_what_is_no_earlier_run(
    result: Result, run: Run, tmp_path: Path, lies_there: str
) -> None:
    if lies_there == "no report":
        (tmp_path / "report.json").write_text("{")
    elif lies_there != "nothing":
        name = "other" if lies_there == "another shop" else result.facts["name"]
        write_all(dataclasses.replace(result, facts={**result.facts, "name": name}), run, tmp_path, ["json"])
    assert since(tmp_path, result) is None
