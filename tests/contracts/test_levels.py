"""A log line's level stands in its field or its prefix; what the message says is not a level."""

from __future__ import annotations

import pytest

from payproof.contracts.reading.levels import plain, rank, reaches

INFO, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY = 30, 40, 50, 60, 70, 80


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ERROR:root:boom", ERROR),
        ("2026-11-28 11:00:00 [error] 12#12: *1 x", ERROR),
        ("[ERROR] x", ERROR),
        ("E/Tag: x", ERROR),
        ("E1128 11:00:00.123456 12 f.go:3] x", ERROR),
        ("2026-11-28 11:00:00.123 ERROR 1234 --- [main] c.f.B : x", ERROR),
        ("[2026-11-28 11:00:00] local.ERROR: x", ERROR),
        ("E, [2026-11-28T11:00:00 #12] ERROR -- : x", ERROR),
        ("[2026-11-28T11:00:00+00:00] shop.CRITICAL: x {} []", CRITICAL),
        ("2026-11-28 11:00:00,123 - shop.alerts - ERROR - x", ERROR),
        ("2026-11-28 11:00:00 shop ERROR x", ERROR),
        ("[2026-11-28 11:00:00 +0000] [123] [ERROR] x", ERROR),
        ("ERROR:    x", ERROR),
        ("[2026-11-28 11:00:00,123: ERROR/MainProcess] x", ERROR),
        ("2026-11-28 11:00:00.123 | ERROR    | mod:func:12 - x", ERROR),
        ("2026-11-28T11:00:00Z [error    ] event  a=1", ERROR),
        ("11:00:00.123 [error] x", ERROR),
        ("fail: Ns.Class[0]", ERROR),
        ("[11:00:00 ERR] x", ERROR),
        ("[2026-11-28T11:00:00Z ERROR crate] x", ERROR),
        ("2026-11-28T11:00:00.123Z ERROR crate: x", ERROR),
        ("error: x", ERROR),
        ("2026-11-28T11:00:00 [ERROR]: x", ERROR),
        ("[Nest] 123  - 11/28/2026, 11:00:00 AM   ERROR [Ctx] x", ERROR),
        ("[11:00:00.123] ERROR (123): x", ERROR),
        ("2026-11-28 11:00:00 UTC [12] ERROR:  x", ERROR),
        ("ERROR 2026-11-28 views 123 x", ERROR),
        ("❌ ERROR x", ERROR),
        ("[2026-11-28 11:00:00,123] ERROR in app: x", ERROR),
        ("11:00:00 ERROR     [app] x", ERROR),
        ("2026-11-28T11:00:00+00:00 ERR (3): x", ERROR),
        ("SEVERE: x", ERROR),
        ("<11>Nov 28 11:00:00 h app: x", ERROR),
        ("Nov 28 11:00:00 myhost shop[123]: ERROR x", ERROR),
        ("[Fri Nov 28 11:00:00.123 2026] [proxy:error] [pid 1] x", ERROR),
        ("[28-Nov-2026 11:00:00 UTC] PHP Fatal error:  Uncaught x", CRITICAL),
        ("[28-Nov-2026 11:00:00 UTC] PHP Warning:  x", WARNING),
        ("11:00:00.123 [main] ERROR com.foo.Bar - x", ERROR),
        ("2026/11/28 11:00:00 ERROR: x", ERROR),
        ("2026/11/28 11:00:00 ERROR x a=1", ERROR),
        ("web-1  | ERROR: x", ERROR),
        ('web-1  | {"level":"error"}', ERROR),
        ('{"level":50,"msg":"x"}', ERROR),
        ('{"level":30,"msg":"error"}', INFO),
        ('{"levelname":"ERROR"}', ERROR),
        ('{"level":3}', ERROR),
        ('{"level":400,"level_name":"ERROR"}', ERROR),
        ('{"log":{"level":"error"}}', ERROR),
        ('{"log.level":"ERROR"}', ERROR),
        ('{"severity":"CRITICAL"}', CRITICAL),
        ('{"record":{"level":{"name":"ERROR","no":40}}}', ERROR),
        ('{"message":"type error","type":"error"}', None),
        ('time=2026-11-28T11:00:00Z level=ERROR msg="x"', ERROR),
        ('time="2026" level=info msg="level=error"', INFO),
        ("payment failed level=error order=1001", ERROR),
        ("2026-11-28T11:00:00 lvl=eror msg=x", ERROR),
        ("ts=1 caller=x.go:1 level=warn msg=x", WARNING),
        ('INFO:shop:answer {"type":"error"}', INFO),
        ("GET /static/errors.css 200", None),
        ('"errors_in_a_row": 0', None),
        ('answer {"type":"error","level":"error"}', None),
        ('127.0.0.1 - - [28/Nov/2026 11:00:00] "GET /error HTTP/1.1" 200 -', None),
        ("no error was found", None),
        ("there were 3 ERROR lines", None),
        ("error from gateway", None),
        ("\x1b[31mERROR\x1b[0m x", ERROR),
        ("\x1b[32minfo\x1b[39m: payment error: x", INFO),
        ("2026-11-28 11:00:00 INFO payment ERROR came", INFO),
        ("11-28 11:00:00.123  1234  1234 E Tag: x", ERROR),
        ("W, [2026-11-28T11:00:00.1 #1]  WARN -- : x", WARNING),
        ("[E 261128 11:00:00 web:12] x", ERROR),
        ("", None),
        ("INFO 2026-11-28 order 1001 ERROR", INFO),
        ("shop.alerts ERROR x", ERROR),
        ('{"@l":"Error","@m":"x"}', ERROR),
        ('{"severityNumber":17}', ERROR),
        ('{"levelno":40}', ERROR),
        ("Error: payment failed", ERROR),
        ("AH00163: Apache configured", None),
        ("INFO  [main] x.y ERROR", INFO),
        ("config: error in line", None),
        ("{broken json level error", None),
        ('{"level":"info","msg":"x"} trailing', None),
        ("warning: x", WARNING),
        ("ALERT order 1001", ALERT),
        ("[EMERGENCY] x", EMERGENCY),
        ("2026-11-28T11:00:00.123456Z shop-7f8c9 app ERROR x", None),
        ("[Fri Nov 28 11:00:00 2026] 127.0.0.1:1 [404]: GET /static/error.css - No such file", None),
        ('INFO gateway answered {"type":"error","errors":[{"message":"no"}]}', INFO),
        ('{"level":"INFO","answer":"{\\"type\\":\\"error\\"}","errors_in_a_row":0}', INFO),
        ('{"errors_in_a_row": 0, "status": "error"}', None),
        ('time=11:00 level=INFO msg="ERROR from gateway"', INFO),
        ("errors: none", None),
        ("Payment error page shown", None),
        ("shop started on port 5000", None),
        ('10.0.0.1 - "POST /checkout HTTP/1.1" 500 Internal Server Error', None),
    ],
)
def test_a_level_is_read_off_its_own_place(line: str, expected: int | None) -> None:
    assert rank(line) == expected


@pytest.mark.parametrize(
    "higher", ["ERROR x", "CRITICAL x", "[emergency] x", '{"level":"fatal"}', "E1128 11:00:00.1 1 f.go:3] x"]
)
def test_a_higher_level_is_enough(higher: str) -> None:
    assert reaches(higher, "ERROR")
    assert reaches(higher, "error")


def test_a_lower_level_is_not() -> None:
    assert not reaches("WARNING x", "ERROR")
    assert not reaches("a line without a level", "DEBUG")


def test_a_level_of_the_shops_own_is_compared_by_its_name() -> None:
    assert reaches("2026-11-28 11:00:00 PAYALARM order 1001", "PAYALARM")
    assert reaches('{"level":"payalarm"}', "PAYALARM")
    assert not reaches("ERROR PAYALARM order 1001", "PAYALARM")
    assert not reaches('{"level":"error"}', "PAYALARM")


def test_colours_are_no_part_of_a_line() -> None:
    assert plain("\x1b[1;31mERROR\x1b[0m x \x1b]8;;http://a\x1b\\y") == "ERROR x y"


def test_an_endless_line_is_read_in_no_time() -> None:
    assert rank("[" * 50_000) is None
    assert rank("a=" * 50_000) is None
    assert rank("a=b " * 20_000 + "c") is None
    assert rank('{"a":' * 20_000) is None
    assert rank("[a] " * 200 + "=") is None
    assert rank("1=2 " * 200 + "c") is None
