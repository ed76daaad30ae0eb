"""The exports: requests that can be tried by hand."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from an_event import an_event

from payproof.contracts.entries import Call, Request, Response
from payproof.contracts.model import Result
from payproof.contracts.results.export import exportable
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports import WRITERS
from payproof.reports.request_export import Variable, handover, path_text, show


def call(
    n: int, operation: str, url: str, body: str = "", answer: Any = None, *, fault: str = "", **meaning: Any
) -> Call:
    headers = (("Host", "h"), ("Content-Type", "application/json"), ("Authorization", "Bearer <access-token-1>"))
    response = Response(status=200, body=json.dumps(answer)) if answer is not None else None
    return Call(
        n=n,
        began=0,
        ended=1,
        ending="answered",
        request=Request(method="POST", url=url, headers=headers, body=body),
        response=response,
        event=an_event(operation=operation, ok=answer is not None, **meaning),
        fault=fault,
    )


def of(*calls: Call, gateway: str = "nobody") -> Run:
    return Run(gateway=gateway, worlds=(RecordedWorld(name="main", entries=calls),))


def test_the_first_good_call_of_each_operation_is_shown_in_the_order_of_use() -> None:
    refused, good, later = (
        call(1, "create", "u1"),
        call(3, "create", "u2", answer={}),
        call(4, "create", "u3", answer={}),
    )
    status = call(2, "status", "u4", answer={})
    assert exportable(of(refused, status, good, later)) == {"create": good, "status": status}
    assert list(exportable(of(refused, status, good))) == ["create", "status"]


def test_a_call_without_a_fault_is_preferred() -> None:
    slow, clean = call(1, "create", "u1", answer={}, fault="slow"), call(2, "create", "u2", answer={})
    assert exportable(of(slow, clean)) == {"create": clean}
    assert exportable(of(slow)) == {"create": slow}


def test_an_operation_that_never_succeeded_and_an_unknown_path_are_left_out() -> None:
    assert exportable(of(call(1, "create", "u1"), call(2, "", "u2", answer={}))) == {}


def test_secrets_become_variables_and_answers_feed_the_next_request(run: Run) -> None:
    token, create, status = handover(run).asks
    assert show(token.body) == '{"client_id": "{{client_id}}", "secret_id": "{{secret_key}}"}'
    assert token.found == {"access_token": ("data", "access_token")}
    assert dict(create.headers)["authorization"] == ("Bearer ", Variable("access_token"))
    assert create.found == {"payment": ("data", "token")}
    assert show(status.url) == "{{base_url}}/payment/status/{{payment}}"


def test_the_base_url_and_what_a_person_fills_in_are_named(run: Run) -> None:
    export = handover(run)
    assert export.base_url == "https://127.0.0.1:43117/pay/sandbox/api/v1"
    assert export.variables == ("client_id", "secret_key")


def test_an_unknown_gateway_splits_the_address_after_its_host() -> None:
    (ask,) = handover(of(call(1, "x", "http://h:1/a/b?c=d", answer={}))).asks
    assert show(ask.url) == "{{base_url}}/a/b?c=d"


def test_answers_are_kept_only_when_a_later_request_needs_them() -> None:
    first = call(1, "create", "http://h/create", answer={"id": "payment-1"}, payment="payment-1")
    assert handover(of(first)).asks[0].found == {}
    second = call(2, "status", "http://h/status/payment-2", answer={}, payment="payment-2")
    create, status = handover(of(first, second)).asks
    assert create.found == {"payment": ("id",)}
    assert show(status.url) == "{{base_url}}/status/{{payment}}"


def test_a_token_deep_in_a_list_is_found() -> None:
    answer = {"a": [{}, {"odd key": "<access-token-1>"}]}
    first = call(1, "token", "http://h/t", answer=answer, issued="<access-token-1>")
    ask, _ = handover(of(first, call(2, "create", "http://h/c", answer={}))).asks
    assert path_text(ask.found["access_token"]) == '.a[1]["odd key"]'


def test_basic_credentials_are_written_as_such(result: Result) -> None:
    made = call(1, "token", "http://h/t", answer={})
    headers = (("Authorization", "Basic <client-id-1:base64><secret-key-1:base64:part>"),)
    run = of(dataclasses.replace(made, request=dataclasses.replace(made.request, headers=headers)))
    assert handover(run).variables == ("client_id", "secret_key")
    assert '--user "$CLIENT_ID:$SECRET_KEY"' in WRITERS["curl"].render(result, run)
    for name in ("http", "intellij"):
        assert "Authorization: Basic {{client_id}} {{secret_key}}" in WRITERS[name].render(result, run)
    assert json.loads(WRITERS["postman"].render(result, run))["item"][0]["request"]["auth"]["type"] == "basic"


@pytest.fixture
def collection(result: Result, run: Run) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(WRITERS["postman"].render(result, run))
    return loaded


def test_the_collection_holds_every_operation_in_order(collection: dict[str, Any]) -> None:
    assert collection["info"]["schema"].endswith("/v2.1.0/collection.json")
    assert [item["name"] for item in collection["item"]] == ["token", "create", "status"]


def test_the_collection_keeps_the_access_token(collection: dict[str, Any]) -> None:
    (event,) = collection["item"][0]["event"]
    assert event["listen"] == "test"
    assert event["script"]["exec"][-1] == 'pm.collectionVariables.set("access_token", answer.data.access_token);'


def test_the_collection_declares_its_variables_without_secrets(collection: dict[str, Any]) -> None:
    values = {each["key"]: each["value"] for each in collection["variable"]}
    assert set(values) == {"base_url", "client_id", "secret_key", "access_token", "payment"}
    assert {name for name, value in values.items() if value} == {"base_url"}


def test_the_address_is_split_as_postman_sends_it(collection: dict[str, Any]) -> None:
    assert collection["item"][2]["request"]["url"] == {
        "raw": "{{base_url}}/payment/status/{{payment}}",
        "host": ["{{base_url}}"],
        "path": ["payment", "status", "{{payment}}"],
    }


def test_a_query_stays_a_query(result: Result) -> None:
    run = of(call(1, "x", "http://h/a?b=c&d=<access-token-1>", answer={}))
    url = json.loads(WRITERS["postman"].render(result, run))["item"][0]["request"]["url"]
    assert url["query"] == [{"key": "b", "value": "c"}, {"key": "d", "value": "{{access_token}}"}]


def test_the_http_file_chains_its_requests(result: Result, run: Run) -> None:
    text = WRITERS["http"].render(result, run)
    assert "# @name token\nPOST {{base_url}}/authentication/token\n" in text
    assert "@access_token = {{token.response.body.$.data.access_token}}" in text
    assert "\nauthorization: Bearer {{access_token}}\n" in text
    assert "\nhost:" not in text


def test_every_variable_has_a_value_for_httpyac_takes_no_empty_one(result: Result, run: Run) -> None:
    for name in ("http", "intellij"):
        text = WRITERS[name].render(result, run)
        assert "\n@client_id = your-client-id\n@secret_key = your-secret-key\n" in text


def test_in_intellij_and_httpyac_scripts_keep_what_the_answers_give(result: Result, run: Run) -> None:
    text = WRITERS["intellij"].render(result, run)
    assert '"}\n\n> {% client.global.set("access_token", response.body.data.access_token); %}\n' in text
    assert '> {% client.global.set("payment", response.body.data.token); %}' in text
    assert "{{token.response" not in text


def test_a_request_is_called_by_letters_digits_and_underscores(result: Result) -> None:
    answer = {"token": "<access-token-1>"}
    made = call(1, "token", "http://h/t", answer=answer, issued="<access-token-1>")
    named = dataclasses.replace(made, event=dataclasses.replace(made.event, operation="make-token"))
    text = WRITERS["http"].render(result, of(named, call(2, "create", "http://h/c", answer={})))
    assert "# @name make_token\n" in text
    assert "@access_token = {{make_token.response.body.$.token}}" in text


def test_a_key_of_an_answer_ends_no_script(result: Result) -> None:
    answer = {"a %} b": "<access-token-1>"}
    made = call(1, "token", "http://h/t", answer=answer, issued="<access-token-1>")
    text = WRITERS["intellij"].render(result, of(made, call(2, "create", "http://h/c", answer={})))
    assert "%}" not in text


CURL = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word" >> "$CALLS"; done
case "$*" in
  */token) echo '{"data": {"access_token": "fresh-token"}}' ;;
  */create) echo '{"data": {"token": "fresh-payment"}}' ;;
  *) echo '{}' ;;
esac
"""


def sent(script: str, folder: Path) -> list[str]:
    """The words that the script gives to cURL, one call after the other."""
    (folder / "curl").write_text(CURL)
    (folder / "curl").chmod(0o755)
    (folder / "requests.sh").write_text(script)
    calls = folder / "calls"
    environment = {
        "PATH": f"{folder}:/usr/bin:/bin", "CALLS": str(calls), "BASE_URL": "https://gateway.test/api",
        "CLIENT_ID": "my id", "SECRET_KEY": "my $secret'", "ACCESS_TOKEN": "given",
    }  # fmt: skip
    subprocess.run(["sh", str(folder / "requests.sh")], env=environment, check=True, capture_output=True, timeout=60)
    return calls.read_text().splitlines()


def test_the_script_runs_from_top_to_bottom(result: Result, run: Run, tmp_path: Path) -> None:
    words = sent(WRITERS["curl"].render(result, run), tmp_path)
    assert '{"client_id": "my id", "secret_id": "my $secret\'"}' in words
    assert "authorization: Bearer fresh-token" in words
    assert "https://gateway.test/api/payment/status/fresh-payment" in words


def test_a_hostile_body_is_one_word_of_the_script(result: Result, tmp_path: Path) -> None:
    body = 'it\'s "$(touch owned)" `touch owned` \\ $HOME !'
    words = sent(WRITERS["curl"].render(result, of(call(1, "x", "http://h/'$(id)", body, answer={}))), tmp_path)
    assert body in words
    assert "https://gateway.test/api/'$(id)" in words
    assert not list(tmp_path.glob("owned"))


def test_without_a_call_each_export_says_so(result: Result) -> None:
    assert "never called the gateway" in WRITERS["curl"].render(result, of())
    assert "never called the gateway" in WRITERS["http"].render(result, of())
    assert json.loads(WRITERS["postman"].render(result, of()))["item"] == []


@pytest.mark.parametrize(
    "body",
    [
        "### next\nGET http://evil/",
        "a=1\r\n###\nDELETE http://h/",
        "< /etc/passwd",
        "x\n<@utf8 /etc/passwd",
        "{{$processEnv CI_SECRET}}",
        '{"a": "{{$dotenv KEY}}"}',
        "x\n> {% client.log(1) %}",
        "# @no-log",
        "x\u2028### y",
        "// @prompt name",
        "@base_url = http://evil",
        "a\n?? js evil",
        "/* evil",
        "a\n```\nevil",
        "HTTP/1.1 200 evil",
    ],
)
def test_a_body_that_an_editor_would_obey_is_left_out(body: str, result: Result) -> None:
    run = of(call(1, "create", "http://h/create", body, answer={}))
    assert "evil" not in WRITERS["intellij"].render(result, run)
    text = WRITERS["http"].render(result, run)
    assert "# The body is left out" in text
    after = text.split("# The body is left out")[1]
    assert all(
        word not in after for word in ("passwd", "evil", "$processEnv", "$dotenv", "client.log", "no-log", "DELETE")
    )
    assert text.count("###") == 1


def test_a_header_or_an_address_from_elsewhere_is_no_command(result: Result) -> None:
    asked = call(1, "create\n### x", "http://h/create/{{$processEnv X}}?a=\n### b", "a=1", answer={})
    headers = (("X-A", "{{$guid}}"), ("X-B", "1\r\nX-C: 2\r\n\r\n###"), ("@/etc/passwd", "x"), ("# c", "d"))
    run = of(dataclasses.replace(asked, request=dataclasses.replace(asked.request, headers=headers)))
    http, curl = WRITERS["http"].render(result, run), WRITERS["curl"].render(result, run)
    assert sum(line.startswith("###") for line in http.splitlines()) == 1
    assert "processEnv X}}" not in http
    assert "{{$guid}}" not in http
    assert "passwd" not in http + curl
    assert not any(line.startswith(("X-C", "# c")) for line in http.splitlines())
    _is_shell(curl)
    (item,) = json.loads(WRITERS["postman"].render(result, run))["item"]
    assert "{{$" not in json.dumps(item)


def test_curl_reads_no_file_and_takes_no_option_from_a_request(result: Result, tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "curl").write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done > "$OUT"\n')
    (bin_ / "curl").chmod(0o755)
    asked = call(1, "create", "http://h/-K/etc/passwd", "@/etc/passwd", answer={})
    headers = (("X-A", "$(touch owned) `touch owned` \"'\\"), ("X-B", "a\r\n@b"))
    run = of(dataclasses.replace(asked, request=dataclasses.replace(asked.request, headers=headers, method="-K")))
    environ = {"PATH": f"{bin_}:/usr/bin:/bin", "OUT": str(tmp_path / "out"), "BASE_URL": "http://h"}
    script = WRITERS["curl"].render(result, run)
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environ, check=True, capture_output=True)
    words = (tmp_path / "out").read_text().split("\0")
    assert words[words.index("--data-raw") + 1] == "@/etc/passwd"
    assert words[words.index("--request") + 1] == "-K"
    assert "X-A: $(touch owned) `touch owned` \"'\\" in words
    assert "X-B: a @b" in words
    assert not (tmp_path / "owned").exists()


def test_a_request_whose_method_is_none_is_left_out(result: Result) -> None:
    asked = call(1, "create", "http://h/create", answer={})
    run = of(dataclasses.replace(asked, request=dataclasses.replace(asked.request, method="GET x\n###")))
    assert "left out" in WRITERS["http"].render(result, run)
    assert "left out" in WRITERS["curl"].render(result, run)
    assert json.loads(WRITERS["postman"].render(result, run))["item"] == []


def test_a_body_that_postman_would_fill_in_is_left_out(result: Result) -> None:
    run = of(call(1, "create", "http://h/create", '{"a": "{{vault:secret}}"}', answer={}))
    (item,) = json.loads(WRITERS["postman"].render(result, run))["item"]
    assert "body" not in item["request"]
    assert "left out" in item["request"]["description"]


def test_the_script_is_one_for_every_shell_that_is_here(result: Result) -> None:
    _is_shell(WRITERS["curl"].render(result, of(call(1, "create", "http://h/create", "a=it's", answer={}))))


def _is_shell(script: str) -> None:
    for shell in filter(shutil.which, ("sh", "dash", "bash", "ksh", "zsh")):
        read = subprocess.run([shell, "-n"], input=script, text=True, check=False, capture_output=True)
        assert read.returncode == 0, f"{shell}: {read.stderr}"
