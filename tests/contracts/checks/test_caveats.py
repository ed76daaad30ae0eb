"""A must that could be judged if something were declared is a caveat of the result."""

from __future__ import annotations

from payproof.contracts.judging.judge import judge

from .written import Written


def _caveats(run: Written) -> tuple[str, ...]:
    return judge(run.run(), run.profile).caveats


def _returned(effects: int | None) -> Written:
    run = Written()
    with run.probe("return-twice", clients=1):
        run.order()
        run.seen(paid=False, effects=None if effects is None else 0)
        run.page("return")
        run.seen(effects=effects)
    return run


def test_a_must_without_its_declaration_is_a_caveat() -> None:
    assert "idempotency.return-twice: declare order.effects" in _caveats(_returned(None))


def test_a_must_that_was_judged_is_none() -> None:
    assert not [caveat for caveat in _caveats(_returned(1)) if caveat.startswith("idempotency.return-twice")]


def test_what_does_not_apply_to_the_gateway_is_none() -> None:
    assert not [caveat for caveat in _caveats(Written()) if caveat.startswith("idempotency.lost-answer")]


def test_a_run_that_is_not_scored_has_none() -> None:
    run = _returned(None)
    run.run_fields["scored"] = False
    assert _caveats(run) == ()
