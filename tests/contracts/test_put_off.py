"""What is noted and written down later is the same, to the letter, as what is written down at once; a bound says what it forgets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest
from an_event import an_event

from payproof.contracts import entries as e
from payproof.contracts.journal import FORGOTTEN, Bound, Journal
from payproof.contracts.pending import Pending
from payproof.contracts.redaction.secret_fields import has_news, learn_call
from payproof.contracts.redaction.secrets import Redactor, mint

STRANGE = "qwe123RTY456uio789PAS"
Act = Callable[[Journal], None]


class Kept(Pending):
    """An entry that stands ready; a call teaches whatever it holds."""

    __slots__ = ("kept", "taught")

    def __init__(self, entry: e.Entry) -> None:
        self.kept, self.taught = entry, False

    def entry(self) -> e.Entry:
        return self.kept

    def size(self) -> int:
        return 100

    def teach(self, redactor: Redactor) -> None:
        self.taught = True
        if isinstance(self.kept, e.Call):
            learn_call(redactor, self.kept)


def a_call(bearer: str, body: str = "") -> e.Call:
    request = e.Request(
        method="POST", url=f"https://x/{body}", headers=(("authorization", f"Bearer {bearer}"),), body=body
    )
    event = an_event(operation="create", bearer=bearer)
    return e.Call(
        began=0.0, ended=0.1, ending="answered", request=request, response=e.Response(status=200), event=event
    )


def a_log(text: str) -> e.Log:
    return e.Log(stream="stdout", text=text)


def acts(rng: random.Random) -> list[Act]:
    """A sequence: tokens are minted, sent, forgotten, leaked before and after; strangers' secrets are sent and seen elsewhere."""
    tokens = [mint(rng, 40) for _ in range(30)]
    strange = [mint(rng, 20) + "7a" for _ in range(5)]
    texts = [*tokens, *strange, "order-1", tokens[0][5:30], "<access-token-1>"]

    def one() -> Act:
        value, text = rng.choice(tokens + strange), " ".join(rng.sample(texts, 3))
        step: list[Act] = [
            lambda journal: journal.redactor.minted("access-token", value),
            lambda journal: journal.note(Kept(a_call(value, text))),
            lambda journal: journal.note(Kept(a_log(text))),
        ]
        return rng.choice(step)

    return [one() for _ in range(200)]


@pytest.mark.parametrize("seed", range(8))
def test_entries_are_the_same_written_at_once_or_at_leisure(seed: int) -> None:
    played = acts(random.Random(seed))
    at_once, at_leisure = (Journal(Redactor(limit=12), clock=lambda: 1.0) for _ in range(2))
    at_once.listeners.append(lambda entry: None)
    for act in played:
        act(at_once)
        act(at_leisure)
    assert at_leisure.entries == at_once.entries
    assert len(at_once.entries) > 100
    assert any("<access-token-" in str(entry) for entry in at_once.entries)


def test_a_secret_that_is_minted_later_is_not_looked_for_in_what_came_before() -> None:
    journal = Journal()
    journal.redactor.add("secret-key", "S" * 20)
    journal.note(Kept(a_log(f"it says {STRANGE}")))
    journal.redactor.minted("access-token", STRANGE)
    journal.note(Kept(a_log(f"it says {STRANGE}")))
    assert [entry.text for entry in journal.entries if isinstance(entry, e.Log)] == [
        f"it says {STRANGE}",
        "it says <access-token-1>",
    ]


def test_a_token_that_is_forgotten_since_is_hidden_where_it_was_still_known() -> None:
    journal = Journal(Redactor(limit=3))
    tokens = [mint(random.Random(number), 40) for number in range(20)]
    for token in tokens:
        journal.redactor.minted("access-token", token)
        journal.note(Kept(a_log(token)))
    shown = [entry.text for entry in journal.entries if isinstance(entry, e.Log)]
    assert shown == [f"<access-token-{number}>" for number in range(1, 21)]


def test_whoever_asks_the_redactor_first_has_everything_before_it_settled() -> None:
    journal = Journal()
    journal.redactor.minted("access-token", STRANGE)
    journal.note(Kept(a_log(STRANGE)))
    assert journal.redactor.redact(f"x {STRANGE}") == "x <access-token-1>"
    assert journal.redactor.placeholder(STRANGE) == "<access-token-1>"
    assert not journal.redactor.empty


def test_entries_of_two_journals_are_settled_in_the_order_in_which_they_happened() -> None:
    redactor = Redactor()
    one, other = Journal(redactor), Journal(redactor)
    redactor.add("secret-key", "S" * 20)
    one.note(Kept(a_call(STRANGE)))
    other.note(Kept(a_log(STRANGE)))
    second = other.entries[0]
    assert isinstance(second, e.Log)
    assert second.text == "<authorization-1>"
    assert one.entries[0].n == 1


def test_a_listener_is_told_at_once_and_only_of_what_comes_later() -> None:
    journal = Journal()
    journal.note(Kept(a_log("before")))
    heard: list[e.Entry] = []
    journal.listeners.append(heard.append)
    journal.note(Kept(a_log("after")))
    assert [entry.text for entry in heard if isinstance(entry, e.Log)] == ["after"]
    assert [entry.n for entry in journal.entries] == [1, 2]


def test_what_is_added_comes_after_what_was_noted() -> None:
    journal = Journal()
    journal.note(Kept(a_log("first")))
    assert journal.add(a_log("second")).n == 2
    assert [entry.n for entry in journal.entries] == [1, 2]


def test_reading_bit_by_bit_gives_the_same() -> None:
    journal = Journal()
    for number in range(500):
        journal.note(Kept(a_log(str(number))))
    assert [entry.n for entry in asyncio.run(journal.read())] == list(range(1, 501))


# A bound


@pytest.mark.parametrize("noted", [True, False])
def test_a_bounded_journal_keeps_the_newest_and_says_how_many_are_gone(noted: bool) -> None:
    journal = Journal(bound=Bound(entries=40, bytes=10**6))
    for number in range(100):
        entry = a_log(str(number))
        journal.note(Kept(entry)) if noted else journal.add(entry)
    first, *rest = journal.entries
    assert isinstance(first, e.Step)
    assert (first.name, first.facts["entries"]) == (FORGOTTEN, journal.forgotten)
    assert len(rest) == 100 - journal.forgotten <= 40
    assert [entry.n for entry in rest] == list(range(journal.forgotten + 1, 101))
    assert first.n == rest[0].n - 1


def test_a_bound_counts_bytes_too() -> None:
    journal = Journal(bound=Bound(entries=1_000, bytes=50_000))
    for _ in range(200):
        journal.add(a_call("x" * 20, "y" * 1_000))
    assert 10 < len(journal.entries) < 50
    journal.add(a_log("z" * 100_000))
    assert len(journal.entries) <= 1


def test_reading_between_does_not_change_what_a_bound_forgets() -> None:
    journal = Journal(bound=Bound(entries=40, bytes=10**6))
    for number in range(300):
        journal.note(Kept(a_log(str(number))))
        if number % 7 == 0:
            _, *_ = journal.entries
    rest = [entry for entry in journal.entries if isinstance(entry, e.Log)]
    assert 20 <= len(rest) <= 40
    assert rest[-1].n == 300
    assert rest[0].n == journal.forgotten + 1


def test_tokens_whose_entries_nobody_read_keep_their_numbers() -> None:
    journal = Journal(Redactor(limit=5), bound=Bound(entries=20, bytes=10**6))
    tokens = [mint(random.Random(number), 40) for number in range(200)]
    for token in tokens:
        journal.redactor.minted("access-token", token)
        journal.note(Kept(a_log(token)))
    shown = {entry.n: entry.text for entry in journal.entries if isinstance(entry, e.Log)}
    assert shown == {number: f"<access-token-{number}>" for number in shown}
    assert max(shown) == 200


def test_a_strangers_secret_in_an_entry_that_nobody_read_is_known_afterwards() -> None:
    journal = Journal(bound=Bound(entries=20, bytes=10**6))
    journal.redactor.add("secret-key", "S" * 20)
    journal.note(Kept(a_call(STRANGE)))
    for _ in range(100):
        journal.note(Kept(a_log(f"it says {STRANGE}")))
    assert journal.entries[-1] == e.Log(
        n=101, at=journal.entries[-1].at, stream="stdout", text="it says <authorization-1>"
    )


def test_a_journal_that_is_cleared_goes_on_with_its_numbers() -> None:
    journal = Journal()
    journal.redactor.minted("access-token", STRANGE)
    journal.note(Kept(a_log("gone")))
    journal.clear()
    assert journal.entries == []
    journal.note(Kept(a_log(STRANGE)))
    assert [(entry.n, entry.text) for entry in journal.entries if isinstance(entry, e.Log)] == [(2, "<access-token-1>")]


def test_a_strangers_secret_does_not_uncover_the_keys() -> None:
    redactor = Redactor(limit=10)
    key = redactor.add("secret-key", "S" * 100)
    for number in range(50):
        redactor.add("access-token", f"{number:0350d}")
    assert redactor.learn("authorization", STRANGE) == "<authorization-1>"
    assert redactor.redact(f"x {'S' * 100}") == f"x {key}"


# The quick look

KNOWN = [(b"host", b"x"), (b"authorization", b"Bearer " + STRANGE.encode())]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ([(b"authorization", b"Bearer another")], b""),
        ([(b"authorization", b"Basic eDp5")], b""),
        ([(b"x-api-key", b"k")], b""),
        (KNOWN, b'{"api_key": "1234567"}'),
        (KNOWN, b'{"client_Secret": "1234567"}'),
        (KNOWN, b"a=1&acc%65ss_token=1234567"),
        (KNOWN, b"<password>1234567</password>"),
        (KNOWN, b'{"session-token": "1234567"}'),
        (KNOWN, '{"api_\u212aey": "1234567"}'.encode()),
        (KNOWN, b'{"pass\0word": "1234567"}'),
    ],
)
def test_the_quick_look_sees_what_may_be_a_secret(headers: list[tuple[bytes, bytes]], text: bytes) -> None:
    redactor = Redactor()
    redactor.add("access-token", STRANGE)
    assert has_news(redactor, headers, [text])


@pytest.mark.parametrize(
    "text", [b"", b'{"token": "1234567", "amount": "5.00"}', f'{{"api_key": "{STRANGE}"}}'.encode()]
)
def test_the_quick_look_passes_what_is_known_or_none(text: bytes) -> None:
    redactor = Redactor()
    redactor.add("access-token", STRANGE)
    assert not has_news(redactor, KNOWN, [text])
