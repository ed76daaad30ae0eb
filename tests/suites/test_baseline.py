"""payproof-baseline.toml: what is accepted for now, and what is wrong with such a file."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from results import a_judgement, a_result

from payproof.contracts.model import PayproofError
from payproof.suites.config import Config, load_config
from payproof.suites.config.baseline_file import NAME, rewritten

TOML = """\
[integration]
command = ["python", "app.py"]
checkout = { path = "/checkout" }
order = { path = "/orders/{order.id}", status = "json:/status" }
"""
ENTRY = '[[baseline]]\ncheck = "token.cached"\nreason = "later"\nowner = "Ada"\nuntil = 2027-01-01\n'
KNOWN = ("token.cached", "verify.amount", "flow.success")


def config_of(tmp_path: Path, baseline: str, own: str = "", *, drafts: bool = False) -> Config:
    (tmp_path / "payproof.toml").write_text(TOML + own)
    (tmp_path / NAME).write_text(baseline)
    return load_config(tmp_path, environ={}, drafts=drafts)


def test_the_entries_beside_the_configuration_are_read_with_their_places(tmp_path: Path) -> None:
    own = '\n[[baseline]]\ncheck = "verify.amount"\nreason = "r"\nowner = "o"\nuntil = 2027-01-01\n'
    found = config_of(tmp_path, f"# why\n{ENTRY}", own).baseline
    assert [(entry.check, entry.place) for entry in found] == [
        ("verify.amount", "payproof.toml, line 6"),
        ("token.cached", f"{NAME}, line 2"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (ENTRY.replace("cached", "cachd"), "baseline.0.check (line 2)", 'did you mean "token.cached"?'),
        (ENTRY.replace('"Ada"', '""'), "baseline.0.owner (line 4)", "accepted without an owner"),
        (ENTRY.replace('reason = "later"\n', ""), "baseline.0.reason (line 1)", "without a reason"),
        (ENTRY.replace("until", "untl"), "baseline.0", "is needed and missing"),
        (ENTRY.replace("2027-01-01", '"soon"'), "baseline.0.until (line 5)", "must be a date"),
        (ENTRY + ENTRY, f"{NAME}, line 1; {NAME}, line 6", "two baseline entries"),
        ("[[baseline]\n", NAME, "not valid TOML"),
        ('[[accept]]\ncheck = "x"\n', NAME, "an entry begins with [[baseline]]"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_refused_at_its_line(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    with pytest.raises(PayproofError) as refused:
        config_of(tmp_path, text)
    whole = f"{refused.value.message} {refused.value.place} {refused.value.remedy}"
    assert place in whole
    assert says in whole


def test_an_entry_that_nobody_completed_accepts_nothing_while_the_file_is_written_anew(tmp_path: Path) -> None:
    open_ = ENTRY.replace("token.cached", "verify.amount").replace('"Ada"', '""')
    assert [entry.check for entry in config_of(tmp_path, ENTRY + open_, drafts=True).baseline] == ["token.cached"]


def test_writing_keeps_what_people_wrote_drops_what_passes_and_adds_what_fails(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(
        ENTRY + ENTRY.replace("token.cached", "flow.success").replace('"later"', r'"say \"no\"\u007f"')
    )
    result = a_result(
        a_judgement("token.cached", "pass"),
        a_judgement("flow.success", "fail"),
        a_judgement("verify.amount", "fail"),
        a_judgement("token.renewed", "warn", level="should"),
    )
    rewritten((), tmp_path, KNOWN, result, date(2026, 11, 1))
    found = tomllib.loads((tmp_path / NAME).read_text())["baseline"]
    assert found == [
        {"check": "flow.success", "reason": 'say "no"\x7f', "owner": "Ada", "until": date(2027, 1, 1)},
        {"check": "verify.amount", "reason": "", "owner": "", "until": date(2026, 12, 1)},
    ]


def test_what_the_configuration_accepts_itself_is_not_written_again(tmp_path: Path) -> None:
    own = config_of(tmp_path, "", "\n" + ENTRY).baseline
    assert rewritten(own, tmp_path, KNOWN, a_result(a_judgement("token.cached", "fail")), date(2026, 11, 1)) == ()


def test_where_nothing_fails_no_file_is_made(tmp_path: Path) -> None:
    assert rewritten((), tmp_path, KNOWN, a_result(a_judgement("token.cached", "pass")), date(2026, 11, 1)) == ()
    assert not (tmp_path / NAME).exists()
