"""A journal numbers, covers and keeps its entries; a run on disk is the same run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from an_event import an_event

from payproof.contracts import entries as e
from payproof.contracts import journal as j
from payproof.contracts import run as r
from payproof.contracts.model import PayproofError, Pointer
from payproof.contracts.redaction.secrets import Redactor

SECRET = "abcdefghjkmnpqrstuvw123456789"


def a_run() -> r.Run:
    redactor = Redactor()
    redactor.add("access-token", SECRET)
    journal = j.Journal(redactor)
    journal.add(e.ProbeMark(event="begin", probe="steady", params={"round": 1}))
    journal.add(
        e.Call(
            began=0.1,
            ended=0.2,
            ending="answered",
            request=e.Request(
                method="POST", url="https://x/", headers=(("Authorization", f"Bearer {SECRET}"),), body="é\ud800"
            ),
            response=e.Response(status=200, body='{"a": 1}', size=8),
            event=an_event(operation="create", bearer=SECRET),
        )
    )
    journal.add(e.OrderSeen(order="1", state="paid", paid=True, effects=2))
    journal.add(
        e.Delivery(
            began=1.0, event="paid", id="n1", payment="p1", paid=True, attempt=1, forged="half", seconds=0.2,
            request=e.Request(method="POST", url="https://x/", body=SECRET), problem="refused",
        )
    )  # fmt: skip
    return r.Run(
        gateway="quatapay",
        settings=r.Settings(within=2.5),
        worlds=(r.RecordedWorld(name="main", entries=tuple(journal.entries)),),
        facts={"seed": 3},
    )


def test_entries_are_numbered_from_one_and_hold_placeholders() -> None:
    run = a_run()
    assert [entry.n for entry in run.worlds[0].entries] == [1, 2, 3, 4]
    assert SECRET not in r.dump(run)
    call = run.entry(Pointer("main", 2))
    assert isinstance(call, e.Call)
    assert call.event.bearer == "<access-token-1>"


def test_a_run_is_the_same_after_a_round_trip() -> None:
    run = a_run()
    assert r.load(r.dump(run)) == run


def test_a_changed_journal_is_refused() -> None:
    text = r.dump(a_run()).replace('"state": "paid"', '"state": "open"')
    with pytest.raises(PayproofError, match="digest"):
        r.load(text)


@pytest.mark.parametrize("text", ["", "nonsense", "{}", json.dumps({"payproof": "run"})])
def test_what_is_no_run_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(PayproofError) as caught:
        r.load(text, place="x.jsonl")
    assert caught.value.place == "x.jsonl"
    assert caught.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayproofError) as caught:
        r.read(tmp_path / "none.jsonl")
    assert str(tmp_path / "none.jsonl") in caught.value.place


def test_numbers_are_not_given_twice_after_clearing() -> None:
    journal = j.Journal()
    journal.add(e.Step(text="one"))
    journal.clear()
    assert journal.add(e.Step(text="two")).n == 2


ISSUED = "Zz91kQw7Lm3Xc5Vb8Nn2Hg4Jf6Dd0Ss1"


def a_call(body: str, operation: str = "token", **more: object) -> e.Call:
    fields: dict[str, object] = {
        "began": 0.1,
        "ended": 0.2,
        "ending": "answered",
        "request": e.Request(method="POST", url="https://x/"),
        "response": e.Response(status=200, body=body),
        "event": an_event(operation=operation),
        **more,
    }
    return e.Call(**fields)  # type: ignore[arg-type]


def a_journal() -> j.Journal:
    redactor = Redactor()
    redactor.add("secret-key", SECRET)
    return j.Journal(redactor)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"accessToken": "{ISSUED}"}}',
        f'{{"data": {{"session": [{{"accessToken":"{ISSUED}"}}]}}}}',
        f'\ufeff{{"data": {{"access_token": "{ISSUED}"}}}}',
        f'{{"data": {{"access_token": "{ISSUED}"}}}} and some prose',
        f'{{"token": "{ISSUED}", "cut',
        "\0".join(f'{{"access_token": "{ISSUED}"}}'),
        f"access_token={ISSUED}&expires_in=600",
        f"<answer><accessToken>{ISSUED}</accessToken></answer>",
        f"{{'access-token': '{ISSUED}'}}",
        f'{{"access_token": "Bearer {ISSUED}"}}',
        f'<link href="/static/js/main.1234abcd.js">{ISSUED}',
        json.dumps({"answer": json.dumps({"access_token": ISSUED})}),
        f"<p>your token: {ISSUED}",
        ISSUED,
    ],
)
def test_an_issued_token_is_hidden_wherever_and_however_it_was_issued(body: str) -> None:
    journal = a_journal()
    call = journal.add(a_call(body))
    line = journal.add(e.Log(stream="stdout", text=f"got {ISSUED}"))
    assert call.response
    assert ISSUED not in call.response.body.replace("\0", "")
    assert line.text.startswith("got <")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Auth", ISSUED),
        ("X-JWT", ISSUED),
        ("Access_Token", ISSUED),
        ("Location", f"https://x/next?lang=en&access_token={ISSUED}"),
        ("Set-Cookie", f"access_token={ISSUED}; Path=/; HttpOnly"),
    ],
)
def test_a_token_that_an_answers_header_holds_is_hidden(name: str, value: str) -> None:
    journal = a_journal()
    call = journal.add(a_call("{}", response=e.Response(status=200, headers=((name, value),), body="{}")))
    assert call.response
    assert ISSUED not in repr(call.response)
    assert ISSUED not in journal.add(e.Log(stream="stdout", text=f"got {ISSUED}")).text


@pytest.mark.parametrize(
    ("request_", "meaning"),
    [
        (e.Request(method="GET", url="https://x/?api_key=Key-7781-2216-9953"), {}),
        (e.Request(method="GET", url="https://x/", headers=(("X-Api-Key", "Key-7781-2216-9953"),)), {}),
        (e.Request(method="GET", url="https://x/", headers=(("authorization", "Bearer Key-7781-2216-9953"),)), {}),
        (
            e.Request(method="GET", url="https://x/", headers=(("Authorization", "Bearer Key-77"),)),
            {"bearer": "Key-77"},
        ),
        (e.Request(method="POST", url="https://x/", body='{"clientSecret": "Key-77", "custom": "Key-77"}'), {}),
        (
            e.Request(
                method="POST", url="https://x/", headers=(("Authorization", "Basic dXNlcjE6S2V5LTc3ODEtMjIxNi05OTUz"),)
            ),
            {"secret": "Key-7781-2216-9953"},
        ),
    ],
)
def test_what_an_integration_sends_as_a_credential_is_hidden_and_is_not_the_one_it_was_given(
    request_: e.Request, meaning: dict[str, str]
) -> None:
    call = a_journal().add(a_call("{}", "create", request=request_, event=an_event(operation="create", **meaning)))
    text = repr(
        (call.request.url, call.request.headers, call.event, call.request.body.replace('"custom": "Key-77"', ""))
    )
    assert "Key-77" not in text
    assert "S2V5LTc3" not in text
    assert "<secret-key" not in text


def test_a_page_of_a_server_in_trouble_teaches_no_path() -> None:
    journal = a_journal()
    journal.add(a_call('<link href="/static/css/theme-2.1.css"><img src="cdn/images2/logo-large.png">'))
    line = "GET /static/css/theme-2.1.css images2/logo-large.png"
    assert journal.add(e.Log(stream="stdout", text=line)).text == line


def test_payments_and_references_are_no_secrets_though_they_are_called_tokens() -> None:
    data = {"token": "pay0123456789abcdef", "session_token": "ref0123456789abcdef", "paid_token": "old0123456789abcdef"}
    body = json.dumps({"data": data})
    event = an_event(operation="create", payment="pay0123456789abcdef", reference="ref0123456789abcdef")
    call = a_journal().add(a_call(body, "create", event=event))
    assert call.response
    assert call.response.body == body


def test_an_answer_that_a_fault_wrote_holds_no_secret() -> None:
    call = a_journal().add(a_call("canary-0123456789abcdef", fault="not-json"))
    assert call.response
    assert call.response.body == "canary-0123456789abcdef"


def test_a_secret_that_is_learned_late_covers_what_was_written_before() -> None:
    journal = a_journal()
    journal.add(e.Log(stream="stdout", text=f"got {ISSUED}"))
    journal.add(a_call(f'{{"accessToken": "{ISSUED}"}}'))
    assert journal.redactor.learned == 1
    run = r.Run(gateway="quatapay", worlds=(r.RecordedWorld(name="main", entries=tuple(journal.entries)),))
    assert ISSUED not in r.dump(j.covered(run, journal.redactor))
    assert j.covered(journal.entries[1], journal.redactor) is journal.entries[1]


def test_a_log_line_that_speaks_of_a_placeholder_is_no_leak() -> None:
    journal = a_journal()
    assert journal.add(e.Log(stream="stdout", text="Bearer <access-token-1>")).text == "Bearer ‹access-token-1›"
    journal.redactor.add("access-token", ISSUED)
    assert journal.add(e.Log(stream="stdout", text="Bearer <access-token-1>")).text == "Bearer ‹access-token-1›"
    assert journal.add(e.Log(stream="stdout", text=f"Bearer {ISSUED}")).text == "Bearer <access-token-1>"
    assert journal.add(e.Ledger(event="token_issued", detail="<access-token-1>")).detail == "<access-token-1>"
