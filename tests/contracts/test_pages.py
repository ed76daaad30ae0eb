"""What a page is to the person in front of it."""

from __future__ import annotations

import base64
import json

import pytest

from payproof.contracts import pages
from payproof.contracts.entries import Response

HTML = (("Content-Type", "text/html; charset=utf-8"),)
JSON = (("Content-Type", "application/json"),)


def html(status: int, body: str) -> Response:
    return Response(status=status, headers=HTML, body=body)


FLASK = (
    "<!doctype html><title>500 Internal Server Error</title><h1>Internal Server Error</h1><p>The server encountered an internal error "
    "and was unable to complete your request. Either the server is overloaded or there is an error in the application.</p>"
)
SPRING = (
    "<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you are seeing this as a "
    "fallback.</p><div>There was an unexpected error (type=Internal Server Error, status=500).</div></body></html>"
)
NGINX = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr>nginx</body></html>"
BOOT = {
    "timestamp": "2026-11-20T10:00:00.000+00:00",
    "status": 500,
    "error": "Internal Server Error",
    "path": "/checkout",
}
MACHINES = [
    html(500, FLASK),
    html(500, SPRING),
    html(500, "<h1>Server Error (500)</h1>"),
    html(502, NGINX),
    html(500, ""),
    html(500, "<pre>TypeError: x is not a function<br>    at Object.&lt;anonymous&gt; (/srv/app.js:3:1)\n    at next (/srv/router.js:9:12)</pre>"),
    Response(status=500, headers=(("Content-Type", "text/plain"),), body="Internal Server Error"),
    Response(status=500, headers=JSON, body=json.dumps({"statusCode": 500, "message": "Internal server error"})),
    Response(status=500, headers=JSON, body=json.dumps(BOOT)),
    Response(status=500, headers=JSON, body="{}"),
    html(500, "Traceback (most recent call last):\n  File \"app.py\", line 3, in pay\nKeyError: 'data' while somebody was paying for something"),
]  # fmt: skip
PEOPLE = [
    html(503, "<h1>Sorry</h1><p>We cannot reach the payment service. Please try again in a minute.</p>"),
    html(500, "<p>Désolé, le paiement est indisponible pour le moment.</p>"),
    Response(status=502, headers=JSON, body=json.dumps({"error": "payment_unavailable"})),
    Response(
        status=503,
        headers=JSON,
        body=json.dumps({"message": "Payments are not possible right now", "reference": "A-17"}),
    ),
    html(502, "<p>お支払いサービスに接続できません。後でもう一度お試しください。</p>"),
]


@pytest.mark.parametrize("response", MACHINES)
def test_default_error_pages_are_not_for_people(response: Response) -> None:
    assert not pages.for_people(response)
    assert pages.broken(response)


@pytest.mark.parametrize("response", PEOPLE)
def test_pages_that_somebody_wrote_are_for_people(response: Response) -> None:
    assert pages.for_people(response)
    assert not pages.broken(response)


def test_no_answer_is_broken_and_a_refusal_is_not() -> None:
    assert pages.broken(None)
    assert not pages.broken(html(409, ""))


@pytest.mark.parametrize(
    "text",
    [
        "cURL error 28: Operation timed out after 30001 milliseconds with 0 bytes received",
        "HTTPSConnectionPool(host='x', port=443): Max retries exceeded",
        "connect ECONNREFUSED 127.0.0.1:443",
        'Post "https://gateway/payment/create": context deadline exceeded',
        "Client error '403 Forbidden' for url 'https://x'",
        "500 Server Error: Internal Server Error for url: https://x",
        "java.net.SocketTimeoutException: Read timed out",
        "Unexpected token '<', \"<html>\" is not valid JSON",
        'Undefined array key "data"',
        "undefined method `[]' for nil",
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ],
)
def test_library_texts_are_machine_errors(text: str) -> None:
    assert pages.machine_errors(html(502, f"<p>Payment failed: {text.replace('<', '&lt;')}</p>"), [], [])


@pytest.mark.parametrize(
    "text",
    [
        "We could not reach the payment service. Please try again. Your reference is 7F3A-12.",
        "Your bank refused the connection to your account. No money was taken.",
        "The payment was terminated by you. Error code P-12.",
        "Something went wrong on our side. We are looking at it.",
        "La commande 12 est en attente. Erreur de vérification, rechargez la page.",
    ],
)
def test_own_words_are_not(text: str) -> None:
    assert (
        pages.machine_errors(
            html(502, f"<script>try {{ x() }} catch (e) {{ throw new TypeError('x') }}</script><p>{text}</p>"),
            ["qzcanary"],
            ['"message":{"code":'],
        )
        == []
    )


def test_canary_and_envelope_are_found_in_body_header_and_escaped() -> None:
    assert pages.machine_errors(html(502, "<p>oops qzcanary</p>"), ["qzcanary"], [])
    assert pages.machine_errors(Response(status=302, headers=(("Location", "/failed?why=qzcanary"),)), ["qzcanary"], [])
    escaped = "<pre>{&quot;message&quot;: {&quot;code&quot;: 500}}</pre>"
    assert pages.machine_errors(html(502, escaped), [], ['"message":{"code":'])


@pytest.mark.parametrize(
    "response",
    [
        html(502, "<h1>REFUSED QZCANARYWORD</h1>"),
        Response(status=502, headers=JSON, body=json.dumps({"error": "refused &#113;zcanaryword"})),
        Response(
            status=302, headers=(("Set-Cookie", f"flash={base64.b64encode(b'why: qzcanaryword').decode()}; Path=/"),)
        ),
    ],
)
def test_the_canary_is_found_in_other_clothes(response: Response) -> None:
    assert pages.machine_errors(response, ["qzcanaryword"], [])


def test_a_trace_in_a_handled_503_is_unfriendly_and_no_crash() -> None:
    body = json.dumps({"error": "Try again later, please", "trace": "Traceback (most recent call last): x"})
    response = Response(status=503, headers=JSON, body=body)
    assert not pages.broken(response)
    assert pages.machine_errors(response, [], [])


def test_a_blank_page_is_blank_whatever_its_markup() -> None:
    assert pages.blank(html(200, "<html><head><title>x</title></head><body><script>1</script></body></html>"))
    assert not pages.blank(html(200, "<p>.</p>Refused"))
