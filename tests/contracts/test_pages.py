"""What a page is to the person in front of it."""

from __future__ import annotations

import base64
import json
import time

import pytest

from payproof.contracts.entries import Response
from payproof.contracts.reading import pages

from .texts import ordinary
from .texts.crash_pages import CRASHES, FOR_PEOPLE, html
from .texts.machines import MESSAGES, TRACES

JSON = (("Content-Type", "application/json"),)


@pytest.mark.parametrize("name", CRASHES)
def test_a_standard_page_or_a_machine_error_is_a_crash(name: str) -> None:
    assert pages.broken(CRASHES[name])


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_pages_that_somebody_wrote_are_for_people(name: str) -> None:
    assert pages.for_people(FOR_PEOPLE[name])
    assert not pages.broken(FOR_PEOPLE[name])


def test_503_with_a_page_is_a_decision_whatever_it_tells() -> None:
    assert not pages.broken(html(503, "<h1>503 Service Unavailable</h1>"))
    assert not pages.broken(html(503, "<p>cURL error 28: Operation timed out</p>"))
    assert pages.broken(html(503, ""))


def test_a_page_for_people_that_shows_what_the_gateway_said_is_a_crash_where_that_is_known() -> None:
    page = html(500, "<h1>Sorry</h1><p>The payment service said: qzcanary is wrong.</p>")
    assert not pages.broken(page)
    assert pages.broken(page, ["qzcanary"])
    envelope = html(502, "<h1>No payment</h1><pre>{&quot;message&quot;: {&quot;code&quot;: 500}}</pre>")
    assert not pages.broken(envelope)
    assert pages.broken(envelope, (), ['"message":{"code":'])
    assert not pages.broken(html(409, "qzcanary"), ["qzcanary"])


def test_no_answer_is_broken_and_a_refusal_is_not() -> None:
    assert pages.broken(None)
    assert not pages.broken(html(409, ""))


MACHINE_TEXTS = [text for texts in (*MESSAGES.values(), TRACES.values()) for text in texts]


@pytest.mark.parametrize("text", MACHINE_TEXTS)
def test_library_texts_are_machine_errors(text: str) -> None:
    """Alone on a page, after the shop's own words, and as a field of a JSON answer."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    assert pages.machine_errors(html(502, f"<h1>Sorry</h1><pre>{escaped}</pre>"), [], [])
    assert pages.machine_errors(html(502, f"<p>Payment failed: {escaped}</p>"), [], [])
    assert pages.machine_errors(Response(status=502, headers=JSON, body=json.dumps({"error": text})), [], [])


def test_some_thousand_ordinary_sentences_are_no_machine_errors() -> None:
    found: dict[str, list[str]] = {}
    for kind in (ordinary.sentences, ordinary.answers):
        texts = list(kind())
        assert len(texts) > 900
        for text in texts:
            escaped = text.replace("&", "&amp;").replace("<", "&lt;")
            for response in (Response(status=409, body=text), html(502, f"<h1>Sorry</h1><p>{escaped}</p>")):
                if errors := pages.machine_errors(response, ["qzcanary"], ['"message":{"code":']):
                    found[text] = errors
    assert found == {}


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


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Not Found</h1><p>The requested URL was not found on the server. If you entered the URL manually please check your"
        " spelling and try again.</p>",
        "<pre>Cannot GET /cancelled/1</pre>",
        "<h1>Not Found</h1><p>The requested resource <code>/cancelled/1</code> was not found on this server.</p>",
        "<h1>Not Found</h1><p>The requested URL was not found on this server.</p><hr>"
        "<address>Apache/2.4.57 (Debian) Server at localhost Port 80</address>",
        "<h1>404</h1><h2>This page could not be found.</h2>",
        "<h1>The page you were looking for doesn't exist.</h1><p>You may have mistyped the address or the page may have moved.</p>",
        "<h1>HTTP Status 404 – Not Found</h1><p><b>Type</b> Status Report</p><p><b>Description</b> The origin server did not find a"
        " current representation for the target resource or is not willing to disclose that one exists.</p><h3>Apache Tomcat/9.0.71</h3>",
        "<h1>Error response</h1><p>Error code: 404</p><p>Message: File not found.</p>"
        "<p>Error code explanation: 404 - Nothing matches the given URI.</p>",
        "Route GET:/cancelled/1 not found",
        "404 page not found",
    ],
)
def test_a_programs_own_word_that_there_is_no_such_page_is_not_for_people(body: str) -> None:
    assert not pages.for_people(html(404, body))


@pytest.mark.parametrize("body", ["<h1>Nothing here</h1><p>This page does not exist.</p>", "<p>You cancelled.</p>"])
def test_a_shops_own_word_that_there_is_no_such_page_is_for_people(body: str) -> None:
    assert pages.for_people(html(404, body))


def test_a_trace_in_a_handled_503_is_unfriendly_and_no_crash() -> None:
    body = json.dumps({"error": "Try again later, please", "trace": "Traceback (most recent call last): x"})
    response = Response(status=503, headers=JSON, body=body)
    assert not pages.broken(response)
    assert pages.machine_errors(response, [], [])


def test_a_blank_page_is_blank_whatever_its_markup() -> None:
    assert pages.blank(html(200, "<html><head><title>x</title></head><body><script>1</script></body></html>"))
    assert pages.blank(
        html(200, '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0//EN"><html><body><!-- nothing --></body></html>')
    )
    assert not pages.blank(html(200, "<p>.</p>Refused"))


@pytest.mark.parametrize(
    ("body", "selector", "text"),
    [
        ("<table><tr><th>Status<td id=x>paid<tr><th>Sent<td>1</table>", "#x", "paid"),
        ("<table><tbody><tr><td id=x>paid<tbody><tr><td>1</table>", "#x", "paid"),
        ("<table><tr><td id=x>a<table><tr><td>b<tr><td>c</table>d<td>e</table>", "#x", "a b c d"),
        ("<ul><li id=x>paid<li>1</ul>", "#x", "paid"),
        ("<ul><li id=x>paid<ul><li>a<li>b</ul><li>1</ul>", "#x", "paid a b"),
        ("<dl><dt>Status<dd id=x>paid<dt>Sent<dd>1</dl>", "#x", "paid"),
        ("<p id=x><b>paid</b><p>Sent: 1", "#x", "paid"),
        ("<p id=x>paid<div>Sent: 1</div>", "#x", "paid"),
        ("<select><option id=x>paid<option>open</select>", "#x", "paid"),
        ("<p>Status: <b id=x>paid</b></p><p>Sent: <b>1</b></p>", "#x", "paid"),
        ("<div id=x><div>a</div><div>b</div></div>", "#x", "a b"),
    ],
)
def test_an_end_that_html_allows_to_leave_out_is_where_browsers_put_it(body: str, selector: str, text: str) -> None:
    node = pages.soup(body).select_one(selector)
    assert node is not None
    assert node.get_text(" ", strip=True) == text


@pytest.mark.parametrize("mark", ["<!--", "<!-- >", "</", "<?"])
def test_marks_without_an_end_are_not_each_looked_for(mark: str) -> None:
    """A page of beginnings of comments took half a minute, in which payproof did nothing else."""
    began = time.process_time()
    assert pages.soup("<p>Sorry</p>" + mark * (200_000 // len(mark))).get_text().strip().startswith("Sorry")
    assert time.process_time() - began < 1.8


def test_thousands_of_cells_without_ends_lie_beside_one_another() -> None:
    assert not pages.soup("<table><tr><td>1<td>2" + "<tr><td>x<td>y" * 2000).select("td td")


@pytest.mark.parametrize(("levels", "within"), [(40, False), (60, True)])
def test_what_an_element_ends_is_looked_for_in_its_neighbourhood_only(levels: int, within: bool) -> None:
    """Else thousands of items in a deep page are thousands times as many levels to climb: 18 s for 256 KB."""
    page = pages.soup("<ul><li>" + "<b>" * levels + "<li id=x>")
    assert bool(page.select("li #x")) is within


@pytest.mark.parametrize("words", ["HTTP 500 ", "Expecting value ", "json.json.", "a$", "__"])
def test_a_long_page_that_begins_a_machines_sentence_over_and_over_is_read_at_once(words: str) -> None:
    began = time.process_time()
    pages.machine_errors(Response(status=500, body=words * (200_000 // len(words))), (), ())
    assert time.process_time() - began < 10  # with a look from each beginning to the page's end it takes minutes


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<h1>Did not\n work</h1><p>This <b>page</b>, no.</p><a href='/'>To the shop</a>", "Did not work · This page, no. · To the shop"),
        ("<div>One<p>two</p>three<br>four</div>", "One · two · three · four"),
        ("<table><tr><td>1</td><td> </td><td>2</td></tr></table><!-- no -->", "1 · 2"),
        ("<title>no</title><script>no</script>Yes", "Yes"),
    ],
)  # fmt: skip
def test_the_blocks_of_a_page_are_quoted_apart(body: str, said: str) -> None:
    assert pages.quoted(html(200, body)) == f'"{said}"'
