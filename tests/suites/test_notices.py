"""Probes about notices, run against a shop with one defect: the requirement that it breaks is the one that fails.

Usually the probes of the defect's own requirement run; with PAYPROOF_MATRIX in the environment (`tox -e matrix`) all that are
about notices, and no other must may fail.
"""

from __future__ import annotations

import os

import pytest
from harbor_runs import a_shop, judged, titles

from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Verdict
from payproof.suites.probes import probes

WHOLE = "PAYPROOF_MATRIX" in os.environ
ABOUT_NOTICES = tuple(id for id, known in requirements().items() if known.needs == "notices")
PROBES = tuple(name for name, probe in probes().items() if "notices" in probe.needs)
BAD = {Verdict.FAIL, Verdict.ERROR}


def test_a_careful_shop_passes_all_that_is_about_notices() -> None:
    found = judged(a_shop(), *PROBES)
    assert titles(found, Verdict.FAIL, Verdict.WARN, Verdict.ERROR) == {}
    assert {id: found[id].verdict for id in ABOUT_NOTICES} == dict.fromkeys(ABOUT_NOTICES, Verdict.PASS)


DEFECTS = {
    "believes-anybody": "webhook.signature-verified",
    "looks-at-no-clock": "webhook.stale",
    "writes-the-body-again": "webhook.raw-body",
    "looks-at-one-signature": "webhook.secret-rolled",
    "takes-notices-for-money": "webhook.foreign-mode",
    "knows-every-event": "webhook.unknown-event",
    "knows-every-order": "webhook.unknown-order",
    "shows-traces": "webhook.malformed",
    "prints-the-label-first": "webhook.fast-answer",
    "says-nothing": "logs.webhooks",
    "checks-then-ships": "webhook.duplicate",
    "forgets-on-restart": "webhook.replayed-old",
    "takes-every-end-for-the-last": "webhook.out-of-order",
    "leaves-it-to-the-return": "webhook.before-return",
    "leaves-cancelled-orders": "webhook.late",
    "waits-for-the-notice": "webhook.lost",
    "says-yes-to-all": "webhook.not-swallowed",
}
ALSO = {"leaves-it-to-the-return": {"webhook.late"}}
"""Who leaves the booking to the return leaves it for ever where nobody returns."""
AT_MOST: dict[str, tuple[str, ...]] = {"prints-the-label-first": ("spelled-notice", "first-the-notice")}
"""Probes that are enough where each notice takes seconds."""


def test_each_requirement_about_notices_has_a_defect() -> None:
    assert sorted(DEFECTS.values()) == sorted(ABOUT_NOTICES)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_shop_with_a_defect_breaks_the_requirement_that_is_about_it(defect: str) -> None:
    own = DEFECTS[defect]
    names = PROBES if WHOLE else tuple(name for name in PROBES if own in probes()[name].requirements)
    found = judged(a_shop(defect), *AT_MOST.get(defect, names))
    assert titles(found, Verdict.FAIL, Verdict.WARN)[own], found[own]
    assert titles(found, *BAD).keys() <= {own, *ALSO.get(defect, ())}, titles(found, *BAD)


def test_a_notice_that_was_answered_before_its_work_is_not_saved_by_three_quick_tries() -> None:
    found = judged(a_shop("answers-first"), "notice-in-an-outage", "first-the-notice")
    assert list(titles(found, Verdict.FAIL)) == ["webhook.not-swallowed"]


def test_no_notice_verifies_before_the_status_check_can_fail() -> None:
    found = judged(a_shop(), "unverified")["verify.unreachable"]
    assert {finding.verdict for finding in found.findings} == {Verdict.PASS}, [each.title for each in found.findings]
    assert len(found.findings) >= 9
