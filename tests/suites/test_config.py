"""payproof.toml: what it may say, and how its problems are told."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Origin
from payproof.suites.config import Config, json_schema, load_config
from payproof.suites.config.pointers import split
from payproof.suites.config.schema import FILE
from payproof.suites.session.sandbox import checkout_of

GOOD = """
gateway = "quatapay"

[integration]
name = "my-shop"
command = ["python", "app.py"]

[integration.env]
PAY_BASE_URL = "{gateway.base_url}"
PORT = "{port}"

[integration.checkout]
path = "/checkout"
json = { order_id = "{order.id}", amount = "{order.amount:number}" }

[integration.order]
path = "/orders/{order.id}"
status = "json:/status"
"""
Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def from_text(text: str, environ: dict[str, str] | None = None, **overrides: Any) -> Config:
        file = tmp_path / "payproof.toml"
        file.write_text(text, encoding="utf-8")
        return load_config(file, overrides=overrides, environ=environ or {})

    return from_text


def refused(load: Load, text: str, environ: dict[str, str] | None = None, **overrides: Any) -> PayproofError:
    with pytest.raises(PayproofError) as caught:
        load(text, environ, **overrides)
    return caught.value


def test_a_good_file_loads(load: Load, tmp_path: Path) -> None:
    config = load(GOOD)
    assert config.integration.command == ("python", "app.py")
    assert config.integration.checkout.json_body == {"order_id": "{order.id}", "amount": "{order.amount:number}"}
    assert config.integration.order.paid == ("paid",)
    assert config.folder == tmp_path
    assert config.currencies == ("XAF",)


def test_defaults_are_those_of_the_documents(load: Load) -> None:
    integration = load(GOOD).integration
    assert (integration.url, integration.ready, integration.ready_timeout) == ("http://127.0.0.1:{port}", "/", 30)
    assert (integration.checkout.method, integration.checkout.redirect) == ("POST", "location")
    assert (integration.workers, integration.order.within) == (None, 0)


def test_numbers_in_the_environment_become_text(load: Load) -> None:
    assert load(GOOD.replace('PORT = "{port}"', "RETRIES = 5")).integration.env["RETRIES"] == "5"


def test_an_unknown_key_is_told_with_line_and_suggestion(load: Load) -> None:
    error = refused(load, GOOD.replace('path = "/checkout"', 'path = "/checkout"\npth = "/c"'))
    assert error.place == "payproof.toml: integration.checkout.pth (line 14)"
    assert (error.message, error.remedy) == ("unknown key", 'did you mean "path"?')


def test_all_problems_are_told_at_once(load: Load) -> None:
    text = GOOD.replace('command = ["python", "app.py"]', 'command = "python app.py"').replace("json:/status", "status")
    error = refused(load, text + "[simulatr]\nport = 1\n")
    assert error.message.startswith("3 problems")
    for part in ("integration.command (line 6)", 'command = ["python", "app.py"]', "order.status", '"simulator"'):
        assert part in error.message


def test_no_secret_stands_in_a_message(load: Load) -> None:
    error = refused(load, GOOD + "[simulator]\nsecret_key = [1234567890123]\n")
    assert "1234567890123" not in error.message


@pytest.mark.parametrize("name", ["payproof.toml", "pyproject.toml"])
def test_a_file_is_found_in_the_current_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD if name == "payproof.toml" else _under_tool(GOOD)
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert load_config(environ={}).integration.name == "my-shop"


def _under_tool(text: str) -> str:
    return text.replace('gateway = "', '[tool.payproof]\ngateway = "').replace(
        "[integration", "[tool.payproof.integration"
    )


def test_lines_are_right_in_pyproject_too(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(_under_tool(GOOD).replace("/checkout", "checkout"))
    with pytest.raises(PayproofError) as caught:
        load_config(file, environ={})
    assert caught.value.place == "pyproject.toml: integration.checkout.path (line 14)"


def test_no_file_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PayproofError, match=r"no payproof\.toml here") as caught:
        load_config()
    assert "payproof init" in caught.value.remedy
    assert "--checkout" in caught.value.remedy


def test_bad_toml_is_told_with_line_and_column(load: Load) -> None:
    assert "line 2, column 4" in refused(load, 'a = 1\nb =\n"').message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "payproof.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PayproofError, match="UTF-8"):
        load_config(file)


def test_the_command_line_goes_before_the_environment_before_the_file(load: Load) -> None:
    environ = {"PAYPROOF_INTEGRATION__NAME": "from-env", "PAYPROOF_INTEGRATION__WORKERS": "3"}
    config = load(GOOD, environ, integration={"name": "from-flags"})
    assert (config.integration.name, config.integration.workers) == ("from-flags", 3)


def test_the_environment_may_hold_lists_tables_and_names(load: Load) -> None:
    environ = {
        "PAYPROOF_INTEGRATION__COMMAND": "node 'my app.js'",
        "PAYPROOF_INTEGRATION__ORDER__PAID": '["done", "paid"]',
        "PAYPROOF_INTEGRATION__CHECKOUT__JSON": '{"id": "{order.id}"}',
        "PAYPROOF_INTEGRATION__ENV__MY__KEY": "x",
        "PAYPROOF_DEBUG": "1",
        "PAYPROOF_SANDBOX_CLIENT_ID": "somebody else's",
    }
    integration = load(GOOD, environ).integration
    assert integration.command == ("node", "my app.js")
    assert integration.order.paid == ("done", "paid")
    assert integration.env["MY__KEY"] == "x"


def test_the_environment_sets_knobs_of_any_kind(load: Load) -> None:
    environ = {
        f"PAYPROOF_SIMULATOR__KNOBS__{name}": text for name, text in (("otp", "true"), ("payment_life_from", "token"))
    }
    assert load(GOOD, environ).simulator.knobs == {"otp": True, "payment_life_from": "token"}


def test_a_wrong_variable_is_told_as_such(load: Load) -> None:
    error = refused(load, GOOD, {"PAYPROOF_INTEGRATION__ORDER__WITHIN": "soon"})
    assert error.place == "payproof.toml: integration.order.within (from PAYPROOF_*)"


@pytest.mark.parametrize(
    "pointer",
    [
        "json:/a/b", "json:/a~1b/0", "header:X-Order-Status", "html:input[name=csrf]", "html:a#pay > b", "location",
        "html:[data-order]@data-order", 'html:a[href="x@y"]', r"url:/orders/(\d+)", "cookie:session",
    ],
)  # fmt: skip
def test_good_pointers(pointer: str) -> None:
    assert split(pointer).kind == pointer.partition(":")[0]


@pytest.mark.parametrize(
    ("pointer", "problem"),
    [
        ("", "is empty"), ("json:", "points at nothing"), ("json:$.a.b", "json:/a/b"), ("json:/a~2", "~0"),
        ("xpath://a", "is no pointer"), ("html:a[[", "not a CSS selector"), ("html:a[[@href", "not a CSS selector"),
        ("html:@href", "not a CSS selector"), ("url:/orders/", "needs a group"),
        ("url:(", "not a regular expression"), ("header:a b", "not the name of a header"),
        ("location:x", "stands alone"),
    ],
)  # fmt: skip
def test_bad_pointers_say_why(pointer: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the text is what is tested)
        split(pointer)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('path = "/checkout"', "", 'integration.checkout.path (line 12): is needed'),
        ('path = "/checkout"', 'path = "checkout"', "a path begins with a slash"),
        ('path = "/checkout"', 'path = "/checkout"\nform = { a = "b" }', "two bodies"),
        ('path = "/checkout"', 'path = "/checkout/{order.idd}"', '{order.id}'),
        ('path = "/checkout"', 'path = "/checkout/{csrf}"', 'unknown placeholder "{csrf}"'),
        ('path = "/checkout"', 'path = "/checkout"\nfee = "lots"', "is not a fee"),
        ('path = "/checkout"', 'path = "/checkout"\ncurrencies = ["ZZZ"]', "no currency of quatapay"),
        ('path = "/checkout"', 'path = "/checkout"\nbefore = ["/cart"]', "GET /cart/add/1"),
        ('path = "/checkout"', 'path = "/checkout"\nredirect = "cookie:x"', "cannot be used here"),
        ('PORT = "{port}"', 'ORDER = "{order.id}"', "the integration starts before there is an order"),
        ('command = ["python", "app.py"]', "", "must already run at a fixed url"),
        ('gateway = "quatapay"', 'gateway = "quatpay"', 'unknown gateway "quatpay"'),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_before_the_run(load: Load, old: str, new: str, words: str) -> None:
    error = refused(load, GOOD.replace(old, new))
    assert words in f"{error.place}: {error.message}; {error.remedy}"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[simulator.knobs]\ncsr = true', 'did you mean "csrf"?'),
        ('[[attest]]\nitem = "monitorin"\nby = "me"\non = 2026-01-01\nuntil = 2027-01-01', 'mean "monitoring"?'),
        ('[[attest]]\nitem = "monitoring"\nby = "me"\non = 2026-01-01\nuntil = 2025-01-01', "is before on"),
        ('[[baseline]]\ncheck = "token.cachd"\nreason = "r"\nowner = "o"\nuntil = 2027-01-01', 'mean "token.cached"?'),
        ('[[baseline]]\ncheck = "token.cached"\nreason = "r"\nowner = "o"\nuntil = "soon"', "must be a date"),
    ],
)  # fmt: skip
def test_names_and_dates_are_checked(load: Load, table: str, words: str) -> None:
    error = refused(load, f"{GOOD}\n{table}\n")
    assert words in f"{error.message}; {error.remedy}"


def test_a_driver_needs_no_recipe(load: Load) -> None:
    head = GOOD.partition("[integration.env]")[0]
    assert load(f'{head}\ndriver = "drive.py:Shop"\n').integration.driver == "drive.py:Shop"


SANDBOX = '[sandbox]\nbase_url = "{url}"\nclient_id = "${{A_CLIENT}}"\nsecret_key = "${{A_SECRET}}"\n'


def test_the_sandbox_takes_its_keys_from_the_environment(load: Load) -> None:
    text = GOOD + SANDBOX.format(url="https://gateway.example/pay/sandbox/api/v1")
    sandbox = load(text, {"A_CLIENT": "the client"}).sandbox
    assert sandbox is not None
    assert (sandbox.client_id, sandbox.missing) == ("the client", ("A_SECRET",))
    assert "the client" not in repr(sandbox)


def test_a_shells_default_is_no_secret(load: Load) -> None:
    text = GOOD + SANDBOX.format(url="https://gateway.example").replace("A_SECRET", "A_SECRET:-something")
    with pytest.raises(PayproofError, match=r"A_SECRET\.\.\.") as refused:
        load(text, {"A_CLIENT": "the client", "A_SECRET": "the secret"})
    assert "something" not in str(refused.value)


def test_a_live_gateway_is_refused_without_override(load: Load) -> None:
    live = "https://gateway.example/pay/api/v1"
    assert "live gateway" in refused(load, GOOD + SANDBOX.format(url=live)).message
    error = refused(load, GOOD.replace('"{gateway.base_url}"', f'"{live}"'))
    assert error.place == "integration.env.PAY_BASE_URL"


@pytest.mark.parametrize(
    "live",
    [
        "https://gateway.example/pay/sandbox/../api/v1",
        "https://gateway.example/pay/./%61pi/v1",
        "https://gateway.example/pay/sandbox/%252e%252e/API/v1",
        "https://quatapay\u3002com/",
        "https://QuataPay.com./pay",
    ],
)
def test_a_live_gateway_is_refused_in_every_spelling(load: Load, live: str) -> None:
    assert "live gateway" in refused(load, GOOD + SANDBOX.format(url=live)).message
    assert "live gateway" in refused(load, GOOD.replace('"{gateway.base_url}"', f'"{live}"')).message


def test_a_live_key_is_refused(load: Load) -> None:
    text = GOOD + SANDBOX.format(url="https://gateway.example/pay/sandbox/api/v1")
    error = refused(load, text, {"A_CLIENT": "a", "A_SECRET": "qpay_live_4fJ2kPq9XyZ7"})
    assert (error.place, "4fJ2kPq9" in str(error)) == ("sandbox.secret_key", False)


def test_a_client_id_stands_where_the_gateway_has_one_and_nowhere_else(load: Load) -> None:
    text = GOOD + SANDBOX.format(url="https://gateway.example/pay/sandbox/api/v1")
    without = text.replace('client_id = "${A_CLIENT}"\n', "")
    assert "sandbox.client_id" in refused(load, without).place
    assert "quay has no client id" in str(refused(load, text.replace("quatapay", "quay", 1)))


def test_the_sandboxs_address_is_used_as_it_was_judged(load: Load) -> None:
    text = GOOD + SANDBOX.format(url="HTTPS://Gateway.Example:443/pay/./sandbox//%61pi/v1/")
    sandbox = load(text, {}).sandbox
    assert sandbox is not None
    assert sandbox.base_url == "https://gateway.example/pay/sandbox/api/v1"
    error = refused(load, GOOD + SANDBOX.format(url="https://sandbox.x@gateway.example/pay/sandbox/api/v1"))
    assert "user name" in error.message


def test_pages_of_the_hosted_checkout_are_hosts_over_https(load: Load) -> None:
    text = GOOD + SANDBOX.format(url="https://gateway.example/pay/sandbox/api/v1")
    sandbox = load(text + 'pages = ["https://Pay.example:443/", "http://localhost:8080"]\n').sandbox
    assert sandbox is not None
    assert sandbox.pages == ("https://pay.example", "http://localhost:8080")
    for page, words in (
        ("http://pay.example", "https"),
        ("https://pay.example/login", "has a path"),
        ("pay.example", "https"),
        ("https://u@pay.example", "user name"),
    ):
        assert words in refused(load, f'{text}pages = ["{page}"]\n').message
    quata = GOOD + SANDBOX.format(url="https://quatapay.com/pay/sandbox/api/v1")
    assert load(f'{quata}pages = ["https://quatapay.com"]\n').sandbox, (
        "what is opened there is judged address by address"
    )


def test_the_published_schema_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == json_schema(), f"payproof schema > {FILE.name}"


def test_the_published_schema_accepts_what_loads_and_knows_every_key() -> None:
    import json
    import tomllib

    schema: dict[str, Any] = json.loads(json_schema())
    meta.validate(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid(tomllib.loads(GOOD))
    assert not validator.is_valid(tomllib.loads(GOOD + "[simulatr]\n"))
    assert "folder" not in schema["properties"]


@pytest.mark.parametrize(
    "line",
    [
        '[integration.logs]\nfiles = ["/proc/self/environ"]',
        '[integration.logs]\nfiles = ["../secrets.log"]',
        '[integration.logs]\nfiles = ["logs/../../x.log"]',
        '[integration.logs]\nfiles = ["{instance.dir}/../x.log"]',
        '[integration.logs]\nfiles = ["{instance.dir}../x.log"]',
        '[integration.logs]\nfiles = ["link/environ"]',
        '[integration.source]\npaths = ["/home"]',
        '[integration.source]\npaths = ["link"]',
        '[integration.source]\nfrontend = [".."]',
        '[cassettes]\npath = "/proc/self/environ"',
    ],
)
def test_a_path_that_leads_out_of_the_folder_is_refused(load: Load, tmp_path: Path, line: str) -> None:
    (tmp_path / "link").symlink_to("/proc/self")
    error = refused(load, f"{GOOD}\n{line}\n")
    assert "leads out" in error.message or "not a regular file" in error.message
    assert error.remedy


@pytest.mark.parametrize("path", ["logs/*.log", "{instance.dir}/logs/**/*.log", "shop-{port}.log"])
def test_paths_below_the_folder_and_the_instance_are_taken(load: Load, path: str) -> None:
    assert load(f'{GOOD}\n[integration.logs]\nfiles = ["{path}"]\n').integration.logs.files == (path,)


AT = '\n[sandbox]\nbase_url = "{}"\nclient_id = "c"\nsecret_key = "s"\n'


@pytest.mark.parametrize(
    "base_url",
    ["http://${CI_SECRET}/x", "https://${CI_SECRET}/x", "https://host/${CI_SECRET}", "${CI_SECRET}", "${CI_SECRET}/x"],
)
def test_no_message_shows_a_value_of_the_environment(load: Load, base_url: str) -> None:
    for value in ("hush-hush-hush", "abc", "quo'ted\\value"):
        error = refused(load, GOOD + AT.format(base_url), {"CI_SECRET": value})
        assert value not in str(error)
        assert repr(value)[1:-1] not in str(error)
        assert "${CI_SECRET}" in str(error)


def test_a_value_of_the_environment_is_masked_wherever_a_message_quotes_it(load: Load) -> None:
    text = GOOD + AT.format("https://host/x") + 'rate = "${CI_SECRET}"\n'
    assert "hush" not in str(refused(load, text, {"CI_SECRET": "hush-hush"}))


def test_an_address_can_be_taken_from_the_environment_as_a_whole(load: Load) -> None:
    config = load(GOOD + AT.format("${PAY_URL}"), {"PAY_URL": "https://sandbox.test/v1"})
    assert config.sandbox
    assert config.sandbox.base_url == "https://sandbox.test/v1"
    unset = load(GOOD + AT.format("${PAY_URL}"))
    assert unset.sandbox
    assert unset.sandbox.missing == ("PAY_URL",)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path / "pipe.toml", Path("/dev/zero")):
        with pytest.raises(PayproofError, match="not a regular file"):
            load_config(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 50_000, "nested too deep"),
        (".".join("a" * 50_000) + " = 1", "line 1 holds more than 500 dots"),
        ("#" * 1_000_001, "1,000,001 bytes"),
    ],
    ids=["deep", "dotted", "large"],
)
def test_a_hostile_file_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "payproof.toml").write_text(text)
    with pytest.raises(PayproofError, match=words):
        load_config(tmp_path)


# -- notices -----------------------------------------------------------------------------------------------------------

HARBOR = GOOD.replace('"quatapay"', '"harbor"')
WEBHOOK = '\n[integration.webhook]\npath = "/notices"\nheaders = { X-Shop = "{gateway.client_id}" }\n'


def test_an_endpoint_for_notices_is_declared(load: Load) -> None:
    webhook = load(HARBOR + WEBHOOK).integration.webhook
    assert webhook is not None
    assert webhook.path == "/notices"
    assert load(HARBOR).integration.webhook is None


def test_a_gateway_without_notices_has_no_use_for_an_endpoint(load: Load) -> None:
    error = refused(load, GOOD + WEBHOOK)
    assert "quatapay sends no notices" in error.message
    assert "leave [integration.webhook] out" in f"{error.message}{error.remedy}"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('path = "notices"', "is not a path"),
        ('path = "/notices/{order.id}"', "is not known here"),
        ('path = "/notices"\nheader = { A = "b" }', "headers"),
        ("", "path"),
    ],
)
def test_an_endpoint_that_cannot_be_is_told(load: Load, table: str, says: str) -> None:
    error = refused(load, f"{HARBOR}\n[integration.webhook]\n{table}\n")
    assert says in f"{error.place} {error.message} {error.remedy}"


TWO_HOSTS = """
[sandbox]
base_url = "{base_url}"
client_id = "a"
secret_key = "b"
"""


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.harbor.test", "https://checkout.harbor.test"),
        ("https://elsewhere.test", "https://pay.elsewhere.test"),
    ],
)
def test_the_checkout_of_a_sandbox_is_where_the_profile_knows_it(
    load: Load, base_url: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    origins = (
        Origin(name="api", real="https://api.harbor.test"),
        Origin(name="checkout", host="pay", real="https://checkout.harbor.test"),
    )
    config = load(GOOD.replace("quatapay", "harbor") + TWO_HOSTS.format(base_url=base_url))
    monkeypatch.setattr(Config, "profile", replace(config.profile, origins=origins))
    assert checkout_of(config) == expected


REFUND = """
[integration.refund]
path = "/orders/{order.id}/refunds"
json = { amount = "{refund.amount:minor}" }
"""


def test_refunds_are_declared_where_the_gateway_has_them(load: Load) -> None:
    declared = load(GOOD.replace("quatapay", "harbor") + REFUND).integration.refund
    assert declared is not None
    assert (declared.method, declared.json_body) == ("POST", {"amount": "{refund.amount:minor}"})
    assert "payproof knows no refunds of quatapay" in refused(load, GOOD + REFUND).message
    wrong = refused(load, GOOD.replace("quatapay", "harbor") + REFUND.replace("refund.amount", "refund.amuont"))
    assert 'did you mean "{refund.amount}"?' in wrong.remedy
    two = refused(load, GOOD.replace("quatapay", "harbor") + REFUND + 'form = { amount = "{refund.amount}" }\n')
    assert "two bodies" in two.message
