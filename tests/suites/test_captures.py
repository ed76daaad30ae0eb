"""Probes about captures, run against Harbor's shop: careful, and with one defect for each requirement."""

from __future__ import annotations

import pytest
from harbor_runs import a_shop, judged, titles

from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Verdict

ABOUT_CAPTURES = tuple(id for id in requirements() if id.startswith("capture."))
PROBES = ("declined-capture", "lost-capture", "late-return", "first-the-notice")
DEFECTS = {
    "one-payment-for-ever": "capture.declined",
    "not-open-is-paid": "capture.expired",
    "captures-on-the-return": "capture.without-return",
    "gives-up-on-silence": "capture.once",
}


def test_a_careful_shop_passes_all_that_is_about_captures() -> None:
    found = judged(a_shop(), *PROBES)
    assert titles(found, Verdict.FAIL, Verdict.WARN, Verdict.ERROR) == {}
    assert {id: found[id].verdict for id in ABOUT_CAPTURES} == dict.fromkeys(ABOUT_CAPTURES, Verdict.PASS)


def test_a_shop_that_takes_the_money_when_the_gateway_tells_is_judged_too() -> None:
    found = judged(a_shop("captures-by-notice", module="harbor_defects"), "lost-capture")
    assert found["capture.once"].verdict is Verdict.PASS


def test_each_requirement_about_captures_has_a_defect() -> None:
    assert sorted(DEFECTS.values()) == sorted(ABOUT_CAPTURES)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_shop_with_a_defect_breaks_the_requirement_that_is_about_it(defect: str) -> None:
    own = DEFECTS[defect]
    found = judged(a_shop(defect, module="harbor_defects"), *PROBES)
    assert titles(found, Verdict.FAIL, Verdict.WARN).keys() == {own}
