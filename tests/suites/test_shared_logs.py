"""Log files that several instances write: whose line is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from payproof.contracts.entries import Checkout, Log, Step
from payproof.contracts.journal import Journal
from payproof.contracts.redaction.secrets import Redactor
from payproof.suites.session.intake import LONGEST_LINE, Intake, Tail
from payproof.suites.session.shared_logs import SharedLogs

ONE, OTHER = "111222333", "444555666"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.log"
    path.write_text("of yesterday\n")
    return path


def a_journal(clock: Clock, order: str, redactor: Redactor | None = None) -> Journal:
    journal = Journal(redactor, clock=clock)
    journal.add(Step(text="a customer wants to pay", name="order:main", facts={"order": order}))
    return journal


def lines(journal: Journal) -> list[str]:
    return [entry.text for entry in journal.entries if isinstance(entry, Log)]


def write(file: Path, text: str) -> None:
    with file.open("a") as out:
        out.write(text)


def test_lines_of_the_only_instance_are_its_own_from_its_start_on(clock: Clock, file: Path) -> None:
    logs, journal = SharedLogs(), a_journal(clock, ONE)
    reader = logs.join(journal, lambda: [file], ())
    write(file, "started\nhalf a ")
    logs.read()
    assert lines(journal) == ["started"]
    write(file, "line")
    logs.leave(reader)
    assert lines(journal) == ["started", "half a line"]
    assert (logs.lines, logs.unowned, logs.together) == (2, 0, False)


def test_of_two_instances_each_gets_the_lines_that_name_what_only_it_knows(clock: Clock, file: Path) -> None:
    logs, first, second = SharedLogs(), a_journal(clock, ONE), a_journal(clock, OTHER)
    readers = [logs.join(first, lambda: [file], ["shop-1234"]), logs.join(second, lambda: [file], ["shop-5678"])]
    first.add(Checkout(order=ONE, amount="1.00", currency="XAF", outcome="redirected", payment="pay-a-1"))
    write(file, f"order {ONE} opened\norder-{OTHER}: opened\npaid pay-a-1\nhttps://shop-5678.localhost/return\n")
    write(file, f"a batch: {ONE}, {OTHER}\nnumber {ONE}0\npay-a-12\n")
    logs.read()
    clock.now = 10
    for reader in readers:
        logs.leave(reader)
    assert lines(first) == [f"order {ONE} opened", "paid pay-a-1"]
    assert lines(second) == [f"order-{OTHER}: opened", "https://shop-5678.localhost/return"]
    assert [line.text for line in logs.aside] == [f"a batch: {ONE}, {OTHER}", f"number {ONE}0", "pay-a-12"]
    assert (logs.lines, logs.unowned, logs.together) == (7, 3, True)


def test_a_line_may_be_older_than_what_the_world_knows_of_it(clock: Clock, file: Path) -> None:
    logs, first, second = SharedLogs(), a_journal(clock, ONE), a_journal(clock, OTHER)
    logs.join(first, lambda: [file], ())
    logs.join(second, lambda: [file], ())
    write(file, "order BASKET-77 opened\n")
    logs.read()
    second.add(Step(text="renamed", name="renamed", facts={"order": "BASKET-77", "ours": OTHER}))
    clock.now = 1
    logs.read()
    assert lines(second) == ["order BASKET-77 opened"]


def test_a_line_is_not_given_to_whoever_is_left_when_its_writer_has_stopped(clock: Clock, file: Path) -> None:
    logs, first, second = SharedLogs(), a_journal(clock, ONE), a_journal(clock, OTHER)
    logs.join(first, lambda: [file], ())
    leaving = logs.join(second, lambda: [file], ())
    write(file, "nobody knows\n")
    logs.leave(leaving)
    clock.now = 10
    logs.read()
    assert lines(first) == []
    assert [line.text for line in logs.aside] == ["nobody knows"]


def test_a_secret_in_a_shared_file_is_found_whoever_wrote_it(clock: Clock, file: Path) -> None:
    redactor = Redactor()
    mine, theirs = "SECRETKEYOFTHEFIRST1", "SECRETKEYOFTHEOTHER2"
    redactor.add("secret-key", mine)
    redactor.add("secret-key", theirs)
    logs, first, second = SharedLogs(), a_journal(clock, ONE, redactor), a_journal(clock, OTHER, redactor)
    logs.join(first, lambda: [file], [mine])
    logs.join(second, lambda: [file], [theirs])
    write(file, f"my key is {theirs}\n{theirs.encode().hex()}\nkeys {mine} {theirs}\n")
    logs.read()
    assert lines(second) == ["my key is <secret-key-2>", "<secret-key-2:hex>"]
    clock.now = 10
    logs.read()
    assert [line.text for line in logs.aside] == ["keys <secret-key-1> <secret-key-2>"]


def test_a_flood_is_read_and_only_a_share_of_it_kept() -> None:
    kept: list[str] = []
    intake = Intake(kept.append, share=2_000, whole=4_000)
    for _ in range(100):
        intake.take(b"x" * 100 + b"\n" + b"y" * 50)
    assert 0 < len(kept) < 10
    lost = intake.refill()
    assert lost + sum(len(line) + 1 for line in kept) == 100 * 151
    kept.clear()
    intake.take(b"the rest of a lost line\nwhole\n")
    assert kept == ["whole"]


def test_every_probe_run_has_a_share_and_all_of_them_have_an_end() -> None:
    kept: list[str] = []
    intake = Intake(kept.append, share=1 << 20, whole=2 << 20)
    for _ in range(30):
        for _ in range(40):
            intake.take(b"z" * LONGEST_LINE)
        before = len(kept)
        intake.refill()
        intake.take(b"\n")
        assert len(kept) >= before
    assert sum(map(len, kept)) < 2 * (2 << 20) + 30 * 2 * LONGEST_LINE


def test_a_file_that_grew_too_much_is_read_in_part(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tail = Tail(path, 0)
    data, passed = tail.read(1000)
    assert (len(data), passed) == (1000, (1 << 30) - 1000)
    path.write_text("begun anew\n")
    assert tail.read() == (b"begun anew\n", 0)
