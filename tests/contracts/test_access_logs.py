"""Access logs are known by their form; whatever tells of a call to the gateway is the shop's own line."""

from __future__ import annotations

import time

import pytest

from payproof.contracts.reading.access_logs import own_part

SHOP = {"/checkout", "/orders/1001", "/return/1001"}
GATEWAY = {"/pay/sandbox/api/v1/payment/create", "localhost:43117"}


@pytest.mark.parametrize(
    "line",
    [
        '127.0.0.1 - - [28/Nov/2026 11:00:00] "POST /checkout HTTP/1.1" 302 -',
        'INFO:werkzeug:127.0.0.1 - - [28/Nov/2026 11:00:00] "\x1b[32mPOST /checkout HTTP/1.1\x1b[0m" 302 -',
        'INFO:     127.0.0.1:50318 - "GET /return/1001?token=abc HTTP/1.1" 200 OK',
        '127.0.0.1 - - [28/Nov/2026:11:00:00 +0000] "GET /orders/1001 HTTP/1.1" 200 512 "-" "python-httpx/0.28"',
        '[28/Nov/2026 11:00:00] "GET /orders/1001?amount=5000.00 HTTP/1.1" 200 512',
        "[Fri Nov 28 11:00:00 2026] 127.0.0.1:50318 [302]: POST /checkout",
        "\x1b[0mPOST /checkout \x1b[36m302\x1b[0m 12.345 ms - 98\x1b[0m",
        "GET /orders/1001?amount=5000.00 200 98 - 1.2 ms",
        "127.0.0.1 - POST /checkout HTTP/1.1 302 98 - 1.2 ms",
        "\x1b[32mGET /orders/1001\x1b[0m",
        "  <-- GET /orders/1001",
        "  --> GET /orders/1001 200 12ms 3b",
        'Started POST "/checkout" for 127.0.0.1 at 2026-11-28 11:00:00 +0000',
        "Processing by CheckoutController#create as JSON",
        '  Parameters: {"order_id"=>"1001", "amount"=>"5000.00", "currency"=>"XAF"}',
        "Completed 302 Found in 12ms (ActiveRecord: 0.1ms)",
        "Redirected to https://localhost:43117/checkout/p1",
        '2026/11/28 11:00:00 "POST http://127.0.0.1:8080/checkout HTTP/1.1" from 127.0.0.1:50318 - 302 0B in 1.2ms',
        '[GIN] 2026/11/28 - 11:00:00 | 302 |    1.2ms |    127.0.0.1 | POST     "/checkout"',
        "11:00:00 | 302 |   1.2ms | 127.0.0.1 | POST | /checkout",
        '127.0.0.1 - - [28/Nov/2026:11:00:00 +0000] "GET /favicon.ico HTTP/1.1" 404 9 0.0012',
        "Request starting HTTP/1.1 POST http://localhost:5000/checkout - application/json 64",
    ],
)
def test_an_access_log_says_nothing_of_the_shops_own(line: str) -> None:
    assert own_part(line, SHOP, GATEWAY) == ""


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"info","ts":1,"logger":"http.log.access","request":{"method":"POST","uri":"/checkout?amount=5000.00"},"status":302}',
        '{"level":30,"req":{"id":1,"method":"POST","url":"/checkout","body":{"amount":"5000.00"}},"res":{"statusCode":200},"msg":"done"}',
        '{"time":"x","method":"GET","uri":"/orders/1001","status":200,"latency":12}',
        "method=POST path=/checkout format=html status=200 duration=12.3",
        "app: POST /checkout -> 200",
    ],
)
def test_of_a_structured_access_log_neither_target_nor_status_remains(line: str) -> None:
    rest = own_part(line, SHOP, GATEWAY)
    assert not any(word in rest for word in ("1001", "5000.00", "200", "/checkout"))


@pytest.mark.parametrize(
    "line",
    [
        "INFO:shop:create order=1001 amount=5000.00 currency=XAF",
        '{"msg":"create","order":"1001","amount":"5000.00"}',
        '{"msg":"create","method":"POST","url":"https://localhost:43117/pay/sandbox/api/v1/payment/create","order":"1001","amount":"5000.00"}',
        "POST /pay/sandbox/api/v1/payment/create order=1001 amount=5000.00 -> 200",
        'DEBUG:urllib3:https://localhost:43117 "POST /pay/sandbox/api/v1/payment/create HTTP/1.1" 200 431',
        "gateway POST https://localhost:43117/pay/sandbox/api/v1/payment/create 200 token=p1",
        "method=POST path=/pay/sandbox/api/v1/payment/create order=1001 amount=5000.00 status=200",
        "the customer will GET / POST later",
    ],
)
def test_a_line_about_the_gateway_is_the_shops_own(line: str) -> None:
    assert own_part(line, SHOP, GATEWAY) == line


@pytest.mark.parametrize(
    "line",
    [
        '{"method":"POST","path":"/checkout","msg":"opening a payment","order":"1001","amount":"5000.00"}',
        "method=POST path=/checkout msg=opening order=1001 amount=5000.00",
        "POST /checkout: opening a payment, order 1001, amount 5000.00",
    ],
)
def test_what_a_line_tells_besides_its_request_counts(line: str) -> None:
    rest = own_part(line, SHOP, GATEWAY)
    assert "1001" in rest
    assert "5000.00" in rest
    assert "/checkout" not in rest


@pytest.mark.parametrize("piece", ["-a", "| 200 |", "Completed 200 a "])
def test_a_line_of_any_text_is_read_in_linear_time(piece: str) -> None:
    """A page's or a file's text in one line: as long as a line can be, and all of it the beginning of something."""
    line = piece * (64 * 1024 // len(piece))
    began = time.process_time()
    assert own_part(line, SHOP, GATEWAY).startswith(piece[:2])
    assert time.process_time() - began < 1


def test_a_pairs_name_begins_where_a_word_does() -> None:
    assert own_part("--method=POST ..path=/checkout x-order=1001 a=}b=2", SHOP, GATEWAY) == "-- .. x-order=1001 a=}b=2"
