"""Cassettes as files: those that cannot be used, their age, and two of them compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from payproof.contracts.entries import Request
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Origin, load
from payproof.simulator.cassettes import Cassette, read
from payproof.simulator.cassettes.diffing import diff
from payproof.simulator.cassettes.reading import ours, theirs
from payproof.simulator.cassettes.stamp import age_in_words, span

from .cassette_stage import YAML, Studio, bought


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


# Files that cannot be used


def test_an_unstamped_cassette_can_be_read_and_cannot_be_a_target(studio: Studio) -> None:
    path = studio.record(bought()).path
    data = YAML.deserialize(path.read_text())
    del data["payproof"]
    for each in data["interactions"]:
        del each["payproof"]
    path.write_text(YAML.serialize(data))
    recording = read(path)
    assert len(recording.exchanges) == len(studio.taped)
    with pytest.raises(PayproofError, match=r"no stamp.*cannot be a target"):
        Cassette(recording, journal=Journal())


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{each}: &{each} [{','.join(['*' + before] * 9)}]\n" for before, each in zip("abcdefgh", "bcdefghi", strict=True)
)
"""A list of a billion words in half a kilobyte."""
BROKEN = {
    "a billion laughs": (
        LAUGHS
        + "interactions:\n- request: {method: GET, uri: x, body: *i}\n  response: {status: {code: 200}}\nversion: 1\n",
        "a text is wanted",
    ),
    "headers in themselves": (
        "interactions:\n- request: {method: GET, uri: x, headers: &h {a: [*h]}}\n"
        "  response: {status: {code: 200}}\nversion: 1\n",
        "a text is wanted",
    ),
    "an address that is none": (
        "interactions:\n- request: {method: GET, uri: 'http://[::1'}\n  response: {status: {code: 200}}\nversion: 1\n",
        "Invalid IPv6 URL",
    ),
    "a date that is none": ("interactions: 2026-99-99\n", "not YAML"),
    "too deep": ("[" * 50_000, "not YAML"),
    "a key that is a list": ("? [a]\n: b\n", "not YAML"),
    "a status that is no number": (
        "interactions:\n- request: {method: GET, uri: x}\n  response: {status: {code: .nan}}\nversion: 1\n",
        "interaction 1",
    ),
    "a program": ("!!python/object/apply:os.getcwd []\n", "not YAML"),
    "no such file": (None, "no such cassette"),
    "no YAML": ("a: [1, 2\nb: }", "not YAML"),
    "a list": ("- 1\n- 2\n", "not a VCR cassette"),
    "no interactions": ("version: 1\n", "not a VCR cassette"),
    "no version": ("interactions: []\n", "cut"),
    "an interaction of another shape": ("interactions:\n- request: {}\nversion: 1\n", "interaction 1"),
    "a stamp of another shape": ("interactions: []\nversion: 1\npayproof: {format: 1}\n", "stamp"),
    "not text": (b"\xff\xfe\x00", "cannot be read"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_cassette_is_told_plainly(tmp_path: Path, case: str) -> None:
    content, message = BROKEN[case]
    path = tmp_path / "c.yaml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PayproofError, match=message) as caught:
        read(path)
    assert caught.value.place == str(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_cassette_is_never_taken_for_a_whole_one(studio: Studio, share: float) -> None:
    path = studio.record(bought()).path
    text = path.read_text()
    path.write_text(text[: int(len(text) * share)])
    with pytest.raises(PayproofError, match=r"cut|not YAML|not whole|stamp|interaction"):
        read(path)


def test_a_cassette_with_exchanges_taken_out_is_not_whole(studio: Studio) -> None:
    path = studio.record(bought()).path
    data = YAML.deserialize(path.read_text())
    del data["interactions"][2]
    path.write_text(YAML.serialize(data))
    with pytest.raises(PayproofError, match="not whole"):
        read(path)


# Age


def test_an_age_is_told_in_hours_and_days(studio: Studio) -> None:
    stamp = studio.record(bought()).stamp
    assert stamp is not None
    assert stamp.age() < timedelta(minutes=5)
    assert stamp.age(datetime.now(UTC) + timedelta(days=3)) > timedelta(days=2)
    assert [age_in_words(timedelta(hours=hours)) for hours in (0, 1, 30, 72)] == [
        "less than an hour", "1 hour", "30 hours", "3 days"
    ]  # fmt: skip
    assert (span("90d"), span("12h"), span("2w")) == (timedelta(days=90), timedelta(hours=12), timedelta(days=14))
    with pytest.raises(ValueError, match="not an age"):
        span("soon")


# Comparing two


def test_two_recordings_of_the_same_sandbox_do_not_differ(tmp_path: Path) -> None:
    one, other = (Studio(tmp_path / name).record(bought(f"order-{name}")) for name in ("11111", "22222"))
    assert diff(one, other).same


def test_what_another_sandbox_says_otherwise_is_found(tmp_path: Path) -> None:
    one = Studio(tmp_path / "one").record(bought())
    other = Studio(tmp_path / "other", otp=True, return_fields=["custom"]).record(bought())
    found = diff(one, other)
    assert [each.request.method for each in found.added] == ["GET", "POST"]
    assert not found.removed
    confirm = found.changed[0]
    assert [(each.name, each.recorded) for each in confirm.changes] == [("redirect", "away from the gateway")]


def test_a_changed_status_field_type_text_and_header_are_found(studio: Studio) -> None:
    one = studio.record(bought())
    text = one.path.read_text()
    assert '"expire_time":600' in text
    for before, after in (
        ('"expire_time":600', '"expire_time":"600"'),
        ('["CREATED"]', '["CREATED"],"more":1'),
        ("XAF", "XOF"),
        ("cache-control", "x-new-header"),
    ):
        assert before in text
        text = text.replace(before, after)
    changed = one.path.with_name("changed.yaml")
    changed.write_text(text)
    names = {change.name for each in diff(one, read(changed)).changed for change in each.changes}
    assert {'response field "data.expire_time"', 'response field "message.more"', "currency"} <= names
    assert {"response header x-new-header", "response header cache-control"} <= names


@pytest.mark.parametrize(("mine", "recorded"), [("", "/mock/pay"), ("/api", "/mock/api"), ("/api", ""), ("", "")])
def test_a_call_is_known_wherever_the_sandbox_keeps_its_api(mine: str, recorded: str) -> None:
    pages = "" if mine else "/checkout"
    origins = (Origin(name="api", base_path=mine), Origin(name="checkout", base_path=pages))
    profile = replace(load("quatapay"), origins=origins)
    call = Request(method="GET", url=f"https://gateway.test{mine}/v2/orders/1?a=/x/", headers=(), body="")
    there = theirs(profile, call, recorded)
    assert there.url == f"https://gateway.test{recorded}/v2/orders/1?a=/x/"
    assert ours(profile, there, recorded) == call


def test_where_the_api_has_no_path_of_its_own_the_pages_need_one() -> None:
    origins = (Origin(name="api"), Origin(name="checkout", base_path="/checkout"))
    profile = replace(load("quatapay"), origins=origins)
    told = {
        path: profile.is_page("gateway.test", path) for path in ("/checkout", "/checkout/a", "/checkouts", "/v2/orders")
    }
    assert told == {"/checkout": True, "/checkout/a": True, "/checkouts": False, "/v2/orders": False}
