"""Stories as values: drawn by hypothesis, told in sentences, made smaller, written and read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from payproof.contracts.model import PayproofError
from payproof.simulator.faults import registered
from payproof.suites.config import Config, make_config
from payproof.suites.explorer import file, machine
from payproof.suites.explorer.oracle import Ruling, Truth
from payproof.suites.explorer.playing import Played
from payproof.suites.explorer.scope import mishaps, scope
from payproof.suites.explorer.shrinking import smaller, without
from payproof.suites.explorer.story import KINDS, OrderSpec, Story, StoryStep, act, parsed, sentences

WISHES = (OrderSpec(1, "5000.00", "XAF", "A"), OrderSpec(2, "5000.00", "XAF", "B"))
TWO_PAGES = Story(
    WISHES,
    (
        act("start", order=1, how="fresh"),
        act("cancel", page=1, then="return"),
        act("start", order=1, how="tab"),
        act("fault", operation="status", name="cut", params={"keep": 0.5}, after_effect=False, times=2),
        act("pay", page=2, then="walk"),
    ),
)


def a_config(gateway: str = "quatapay") -> Config:
    table = {
        "command": ["shop"],
        "checkout": {"path": "/checkout", "json": {"order_id": "{order.id}"}},
        "order": {"path": "/orders/{order.id}", "status": "json:/status"},
    }
    return make_config({"gateway": gateway, "integration": table}, folder=Path(), place="payproof.toml", environ={})


def drawn(chance: str, config: Config | None = None, stories: int = 40) -> list[Story]:
    found: list[Story] = []
    machine.draw(scope(config or a_config(), restarts=True), found.append, chance=chance, stories=stories)
    return found


@pytest.fixture(autouse=True)
def _notes(tmp_path: Path) -> None:
    machine.keep_notes_in(str(tmp_path / "notes"))


def test_the_same_seed_draws_the_same_stories_and_another_one_others() -> None:
    assert drawn("7:1") == drawn("7:1")
    assert drawn("7:1") != drawn("8:1")


@pytest.mark.parametrize("gateway", ["quatapay", "qrpay"])
def test_drawn_stories_refer_to_pages_that_were_started_and_can_all_be_told(gateway: str) -> None:
    stories = drawn("3:1", a_config(gateway), stories=120)
    for story in stories:
        pages = 0
        assert len(sentences(story)) == len(story.acts)
        for each in story.acts:
            pages += each.do == "start"
            assert each.number("page") <= pages
            assert each.number("other") <= pages
    assert {each.do for story in stories for each in story.acts} <= set(KINDS)


def test_every_kind_of_step_is_drawn_sooner_or_later() -> None:
    seen = {each.do for batch in range(12) for story in drawn(f"5:{batch}", stories=100) for each in story.acts}
    assert seen == set(KINDS) - {"promise"}


def test_money_that_comes_later_is_promised_where_a_gateway_takes_such_money() -> None:
    stories = drawn("5:1", a_config("quay"), stories=200)
    promised = [each for story in stories for each in story.acts if each.do == "promise"]
    assert {(each.flag("kept"), each.text("then")) for each in promised} == {
        (kept, then) for kept in (True, False) for then in ("return", "walk")
    }
    story = Story(WISHES, (act("start", order=1, how="fresh"), act("promise", page=1, kept=False, then="walk")))
    assert sentences(story)[1] == (
        "Customer A pays order 1 at page 1 with money that never comes, and walks away without returning."
    )


def test_every_fault_but_those_of_the_port_may_strike() -> None:
    kinds = mishaps(a_config().profile)
    assert {kind.split()[1] for kind in kinds} == set(registered()) - set(registered("port"))
    assert {kind.split()[0] for kind in kinds} == {"token", "create", "status", "connection", "handshake"}


def test_a_fault_of_the_connection_is_told_in_a_sentence() -> None:
    step = act("fault", operation="", name="silent", params={}, after_effect=False, times=1)
    assert sentences(Story((), (step,))) == ("The next connection goes wrong: silent.",)


def test_no_fault_tells_a_shop_that_an_existing_payment_does_not_exist() -> None:
    profile = a_config().profile
    errors = [dict(each.params)["error"] for each in mishaps(profile)["status error"]]
    assert errors
    assert not [name for name in errors if profile.errors[str(name)].status == 404]


def test_a_story_is_told_in_sentences() -> None:
    assert sentences(TWO_PAGES) == (
        "Customer A starts to pay order 1 (5,000.00 XAF): page 1.",
        "Customer A cancels at page 1 (order 1) and returns to the shop.",
        "Customer A starts to pay order 1 again in a second tab: page 2.",
        "The next 2 status calls go wrong: cut (keep 0.5).",
        "Customer A pays order 1 at page 2 and walks away without returning.",
    )


def test_a_start_that_goes_takes_its_page_with_it_and_the_others_move_up() -> None:
    found = without(TWO_PAGES, 0)
    assert found is not None
    assert [each.do for each in found.acts] == ["start", "fault", "pay"]
    assert found.acts[0].text("how") == "fresh"
    assert found.acts[2].number("page") == 1


def test_smaller_stories_are_smaller_or_simpler_and_never_empty() -> None:
    for story in smaller(TWO_PAGES):
        assert story != TWO_PAGES
        assert any(each.do == "start" for each in story.acts)
        assert len(story.acts) <= len(TWO_PAGES.acts)


def test_a_story_survives_its_file(tmp_path: Path) -> None:
    ruling = Ruling("charged-is-paid", 1, Truth.FALSE, "paid", "pending")
    played = Played(TWO_PAGES.used(), Truth.FALSE, (ruling,))
    path = file.write(tmp_path, 1, played, name="shop", gateway="quatapay", seed=9, config=None)
    read = file.read(path)
    assert read.story == TWO_PAGES.used()
    assert (read.gateway, read.seed, read.rules) == ("quatapay", 9, ("charged-is-paid",))
    assert path.stat().st_size < 4096
    assert "sequenceDiagram" in path.with_suffix(".md").read_text()
    assert "<svg" in path.with_suffix(".html").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "of version 2"),
        ({"payproof": "run"}, "not a story"),
        ({"steps": [{"do": "fly"}]}, "not a step of a story"),
        ({"steps": [{"do": "pay", "page": 1}]}, "not a step of a story"),
        ({"steps": [{"do": "start", "order": 9, "how": "fresh"}]}, "not a whole story"),
        ({"steps": []}, "not a whole story"),
        ({"orders": "none"}, "not a whole story"),
    ],
)
def test_a_file_that_is_no_story_of_this_version_is_refused_in_plain_words(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    played = Played(TWO_PAGES.used(), Truth.FALSE, (Ruling("charged-is-paid", 1, Truth.FALSE),))
    path = file.write(tmp_path, 1, played, name="shop", gateway="quatapay", seed=9, config=None)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(PayproofError, match=message):
        file.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayproofError, match="cannot read the story"):
        file.read(tmp_path / "story-1.json")


def test_steps_are_plain_in_a_file_and_equal_again_when_read() -> None:
    for each in TWO_PAGES.acts:
        plain = json.loads(json.dumps(each.plain()))
        assert parsed(plain, place="story") == each
        assert isinstance(parsed(plain, place="story"), StoryStep)
