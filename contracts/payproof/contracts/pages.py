"""What a page is to the person in front of it: made for people, blank, or the machine's own error.

Neutral about frameworks: a page counts as made for people when something remains after the status line's words and the
stock sentences of frameworks' default error pages are taken away.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus

from bs4 import BeautifulSoup, Comment

from payproof.contracts.entries import Page, Response, header
from payproof.contracts.secrets import spellings

_STOCK = tuple(
    sorted(
        {
            *(status.phrase.lower() for status in HTTPStatus),
            "the server encountered an internal error and was unable to complete your request",
            "either the server is overloaded or there is an error in the application",
            "the server encountered an internal error or misconfiguration and was unable to complete your request",
            "please contact the server administrator",
            "whitelabel error page",
            "this application has no explicit mapping for /error, so you are seeing this as a fallback",
            "there was an unexpected error",
            "oops! an error occurred",
            "the server returned a",
            "something is broken. please let us know what you were doing when this error occurred",
            "we will fix it as soon as possible. sorry for any inconvenience caused",
            "server got itself in trouble",
            "server error",
            "http status",
            "http error",
            "application error",
            "unhandled exception",
            "uncaught exception",
            "fatal error",
            "uncaught",
            "exception",
            "nginx",
            "error",
            "status",
            "type=",
            "message",
        },
        key=len,
        reverse=True,
    )
)

_TRACES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"Traceback \(most recent call last\)",
        r"^\s*at \S.*\(?\S+:\d+(:\d+)?\)?\s*$",
        r"^\s*at [\w$.<>]+\([\w.]+\.(java|kt|scala):\d+\)",
        r"#\d+ [^\n]*\.php\(\d+\)",
        r"File \"[^\"\n]+\", line \d+",
        r"goroutine \d+ \[\w+",
        r"[\w/.-]+\.go:\d+",
        r"[\w/.-]+\.rb:\d+:in ",
        r"(Fatal error|Warning|Notice|Deprecated|Parse error): .* in .*\.php",
        r"in [\w/.-]+\.php on line \d+",
    )
)

_LIBRARY = tuple(
    re.compile(pattern)
    for pattern in (
        r"cURL error \d+|curl: \(\d+\)|CURLE_[A-Z_]+",
        r"Operation timed out after \d+|Failed to connect to \S+ port \d+|Empty reply from server|Could not resolve host",
        r"Recv failure|Send failure|OpenSSL SSL_|SSL_connect|SSL certificate problem|certificate verify failed|CERTIFICATE_VERIFY_FAILED",
        r"\b(ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)\b",
        r"socket hang up|fetch failed|UND_ERR_\w+|other side closed|operation was aborted|terminated\W*$",
        r"HTTPS?ConnectionPool|Max retries exceeded|Read timed out|Connection aborted|RemoteDisconnected|Remote end closed",
        r"Server disconnected without sending|All connection attempts failed|peer closed connection|urlopen error|\[Errno -?\d+\]",
        r"\d{3} (Client|Server) Error: |(Client|Server) error '\d{3}",
        r"context deadline exceeded|context canceled|Client\.Timeout exceeded|dial tcp|i/o timeout|unexpected EOF|connect: connection refused",
        r"(Get|Post|Put) \"https?://",
        r"Connection reset by peer|Connection refused|stream_socket_client|file_get_contents\(|Failed to open stream",
        r"Expecting value: line|Unexpected token|Unexpected end of JSON|Unterminated string in JSON|in JSON at position|is not valid JSON",
        r"invalid character '.+' (looking|after|in)|unexpected end of JSON input|unexpected token at '",
        r"Undefined (array key|index|property|variable|offset)|Trying to access array offset|on null\b",
        r"Cannot read propert(y|ies) of|is not a function|is not defined\b|'NoneType' object|object is not subscriptable",
        r"undefined method|for nil\b|NilClass|nil pointer dereference|runtime error: ",
        r"\b(java|javax|org\.springframework|com\.fasterxml|kotlin|okhttp3|System\.Net|GuzzleHttp|Symfony\\Component|Net::\w+|Errno::\w+|JSON::\w+|Faraday::\w+|OpenSSL::\w+)[.:\\]*\w*(Exception|Error|Timeout|E[A-Z]+)",
        r"\b(AxiosError|JSONDecodeError|JsonException|JsonParseException|SocketTimeoutException|ConnectException|HttpTimeoutException|URLError|HTTPError|"
        r"ConnectionError|ConnectTimeout|ReadTimeout|TimeoutError|AbortError|KeyError|TypeError|ValueError|AttributeError|ReferenceError|SyntaxError|"
        r"RuntimeException|NullPointerException|NoMethodError|ParserError)\b",
        r"Request failed with status code \d+|HTTP request returned status code \d+|resulted in a `?\d{3}",
    )
)


PARSED = 256 * 1024
"""Characters of a page that are read as a tree."""
DEEPEST = 1_000
"""Elements within elements; browsers stop at 512. A page that is nested deeper is read as a text without elements."""
_LAX = 4_000
"""The same where ends are left out, as HTML allows (a list of thousands of ``<li>``)."""
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_OPEN_ENDED = frozenset(("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup"))


@lru_cache(maxsize=256)
def soup(body: str) -> BeautifulSoup:
    """A page as a tree, parsed once; nobody changes it."""
    body = body[:PARSED]
    return BeautifulSoup(html.escape(re.sub(r"<[^>]{0,2000}>", " ", body)) if _deep(body) else body, "html.parser")


def too_deep(response: Response) -> bool:
    """Whether a page is nested deeper than it can be read."""
    return is_html(response) and _deep(response.body[:PARSED])


def _deep(body: str) -> bool:
    if body.count("<") <= DEEPEST:
        return False
    # As the parser does it: an end closes the last element of its name, and all within it.
    opened: list[str] = []
    strict = 0
    for end, name in _TAG.findall(body):
        name = name.lower()
        if name in _VOID:
            continue
        if not end:
            opened.append(name)
            strict += name not in _OPEN_ENDED
            if strict > DEEPEST or len(opened) > _LAX:
                return True
        elif name in opened:
            last = ""
            while last != name:
                last = opened.pop()
                strict -= last not in _OPEN_ENDED
    return False


def is_html(response: Response) -> bool:
    kind = header(response.headers, "content-type").lower()
    return "html" in kind or (not kind and response.body.lstrip()[:1] == "<")


def visible_text(response: Response) -> str:
    """What a person reads: an HTML page's text, the strings of a JSON answer, or the body as it is."""
    if is_html(response):
        tree = soup(response.body)
        return "\n".join(
            text
            for node in tree.find_all(string=True)
            if node.parent
            and node.parent.name not in ("script", "style", "template", "head", "title")
            and not isinstance(node, Comment)
            if (text := str(node).strip())
        )
    try:
        return "\n".join(_strings(json.loads(response.body)))
    except (ValueError, RecursionError):
        return response.body


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(item)  # pyright: ignore[reportUnknownArgumentType]


def blank(response: Response) -> bool:
    """Nothing to read."""
    return not visible_text(response).strip()


def for_people(response: Response) -> bool:
    """Somebody wrote this for people: a sentence (or, in JSON, a code of their own) remains beside stock phrases."""
    text = visible_text(response)
    if any(trace.search(text) for trace in _TRACES):
        return False
    text = text.lower()
    for phrase in _STOCK:
        text = text.replace(phrase, " ")
    text = re.sub(r"\d{4}-\d\d-\d\dt\S+|\S*/\S+", " ", text)
    return sum(character.isalpha() for character in text) >= 10


def broken(response: Response | None) -> bool:
    """No answer at all, or a 5xx that nobody wrote for people. 503 with a page is a decision, whatever it tells."""
    if response is None or response.status < 500:
        return response is None
    return blank(response) if response.status == 503 else not for_people(response)


def machine_errors(response: Response, canaries: Iterable[str], raw_marks: Iterable[str]) -> list[str]:
    """What of the machine's own errors reaches the customer: canary texts, traces, envelopes, library messages."""
    everything = "\n".join((response.body, *(value for _, value in response.headers)))
    plain = html.unescape(f"{everything}\n{visible_text(response)}").casefold()
    found = [
        f"the gateway's text ({canary})"
        for canary in canaries
        if canary and (canary.casefold() in plain or any(text in everything for _, text in spellings(canary)))
    ]
    compact = re.sub(r"\s+", "", response.body).replace("&quot;", '"').replace("&#34;", '"')
    found += [f"the raw envelope ({mark})" for mark in raw_marks if re.sub(r"\s+", "", mark) in compact]
    shown = visible_text(response)
    if is_html(response):
        shown += "\n" + "\n".join(
            str(node) for node in soup(response.body).find_all(string=lambda t: isinstance(t, Comment))
        )
    headers = "\n".join(value for name, value in response.headers if name.lower() not in ("date", "set-cookie", "etag"))
    for text in (shown, headers):
        found += [f"a stack trace ({m.group().strip()[:80]})" for trace in _TRACES if (m := trace.search(text))]
        found += [
            f"a library's error text ({m.group().strip()[:80]})" for words in _LIBRARY if (m := words.search(text))
        ]
    return list(dict.fromkeys(found))


def shows_error(page: Page) -> bool:
    """The customer is looking at an error: no answer, or a status of 400 or more."""
    return page.response is None or page.response.status >= 400
