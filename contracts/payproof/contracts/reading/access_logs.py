"""Access logs: what a web server or a framework writes about each request to the shop, whether or not the shop logs anything.

They are known by their form. A line that tells of a call to the gateway, with its method and path, is the shop's own; so is what
a structured line tells besides the request that it was written in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, cast
from urllib.parse import urlsplit

from payproof.contracts.reading import levels
from payproof.contracts.reading.json_text import table_of

_METHOD = r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)"
_VERB = re.compile(_METHOD)

_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        # Apache, nginx, Tomcat, werkzeug, gunicorn, uvicorn, Django, Puma, WEBrick, chi, actix, morgan combined
        rf"[\"'\[]{_METHOD} (?P<target>\S+) HTTP/\d(?:\.\d)?[\"'\]]",
        # morgan short, Sanic
        rf"{_METHOD} (?P<target>\S+) HTTP/\d(?:\.\d)? \d{{3}}\b",
        # php -S
        rf"\[\d{{3}}\]: (?:\(null\) )?{_METHOD} (?P<target>\S+)",
        # gin, fiber
        rf"\|\s*\d{{3}}\s*\|.{{0,400}}\|\s*{_METHOD}\s*\|?\s*\"?(?P<target>/[^\s\"|]*)",
        # morgan dev and tiny, Koa, hono
        rf"^(?:<--|-->|xxx)?\s*{_METHOD} (?P<target>\S+)(?: (?:\d{{3}}|-) (?:-|[\d.]+(?:ms|s|b|kb)?)(?: .*)?)?$",
        # Rails, Phoenix
        rf"\bStarted {_METHOD} \"(?P<target>[^\"]*)\" for ",
        r"(?P<target>)\bProcessing (?:by|with) [\w:.]+(?:#|\.)\w+",
        r"(?P<target>)(?:^|: |\] )\s*Parameters: %?\{",
        r"(?P<target>)\b(?:Completed \d{3} [\w ]{1,80} in|Sent \d{3} in) [\d.]+ ?[mµ]?s",
        r"(?P<target>)(?:^|: |\] )\s*Redirected to https?://",
        # ASP.NET, Symfony, artisan serve
        rf"\bRequest (?:starting|finished) HTTP/\S+ {_METHOD} (?P<target>\S+)",
        r"(?P<target>)\bMatched route \"",
        r"^\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?P<target>/\S*) \.{3,}",
    )
)
_ASKED = re.compile(
    rf"\b{_METHOD}\b[^\w/]{{0,8}}(?P<target>(?:https?://[^/\s\"']+)?/[^\s\"']*)[\"']?(?: HTTP/\d(?:\.\d)?)?[\"']?"
    r"(?:\s*(?:->|=>|→|-|:|status[=:])?\s*\d{3}\b)?"
)
_PAIR = re.compile(r"(?<![\w.-])(?P<lead>[.-]*)(?P<name>\w[\w.-]*)=(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\s\"}]*))")
_METHOD_KEYS = ("method", "http_method", "http.method", "request_method", "verb")
_TARGET_KEYS = ("path", "uri", "url", "target", "request_uri", "http.target", "http.url", "http.route", "fullpath")
_STATUS_KEYS = (
    "status",
    "status_code",
    "statuscode",
    "http.status_code",
    "code",
    "responsetime",
    "duration",
    "latency",
)
_REQUEST_KEYS = ("req", "request", "http", "httprequest", "res", "response", "headers", "query", "params", "body")


def own_part(text: str, shop: Collection[str], gateway: Collection[str]) -> str:
    """What of a line is the shop's own words; empty for a line of an access log.

    ``shop``: paths that the customer asked for; ``gateway``: paths (and hosts) of the gateway that were called.
    """
    line = levels.plain(text).strip()
    if (fields := _object(line)) is not None:
        return _of_fields(fields, shop, gateway, line)
    for form in _FORMS:
        if (found := form.search(line)) and not _at(found["target"], gateway):
            return ""
    pairs = {found["name"].casefold(): found["quoted"] or found["bare"] or "" for found in _PAIR.finditer(line)}
    if _asked(pairs, shop, gateway):
        drop = (*_METHOD_KEYS, *_TARGET_KEYS, *_STATUS_KEYS)
        return _PAIR.sub(lambda found: found["lead"] if found["name"].casefold() in drop else found[0], line)
    return _ASKED.sub(lambda found: "" if _at_shop(found["target"], shop, gateway) else found[0], line)


def _object(line: str) -> dict[str, Any] | None:
    start = line.find("{")
    if start < 0 or not line.endswith("}") or (start and "|" not in line[:start]):
        return None
    return table_of(line[start:])


def _of_fields(fields: dict[str, Any], shop: Collection[str], gateway: Collection[str], line: str) -> str:
    """A structured line without the request in whose course it was written."""
    inner = [cast("dict[str, Any]", value) for value in fields.values() if isinstance(value, dict)]
    if not any(
        _asked({key.casefold(): value for key, value in each.items()}, shop, gateway) for each in (fields, *inner)
    ):
        return line
    drop = (*_METHOD_KEYS, *_TARGET_KEYS, *_STATUS_KEYS, *_REQUEST_KEYS)
    rest = {key: value for key, value in fields.items() if key.casefold() not in drop}
    return json.dumps(rest, ensure_ascii=False) if rest else ""


def _asked(fields: dict[str, Any], shop: Collection[str], gateway: Collection[str]) -> bool:
    """Whether these fields tell of a request to the shop."""
    method = next((str(fields[key]) for key in _METHOD_KEYS if key in fields), "")
    target = next((str(fields[key]) for key in _TARGET_KEYS if key in fields), "")
    return bool(_VERB.fullmatch(method.upper()) and target) and _at_shop(target, shop, gateway)


def _at_shop(target: str, shop: Collection[str], gateway: Collection[str]) -> bool:
    return not _at(target, gateway) and _path(target) in shop


def _at(target: str, gateway: Collection[str]) -> bool:
    return _path(target) in gateway or urlsplit(target).netloc in {host for host in gateway if "/" not in host}


def _path(target: str) -> str:
    try:
        return urlsplit(target).path.rstrip(":,;") or "/"
    except ValueError:
        return target
