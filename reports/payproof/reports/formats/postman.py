"""The requests as a Postman collection (format 2.1) that runs in order."""

from __future__ import annotations

import json
from typing import Any

from payproof.contracts.entries import header
from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports import facts
from payproof.reports.registry import writer
from payproof.reports.request_export import (
    BASE_URL,
    ExportRequest,
    handover,
    headers_of,
    path_text,
    sendable,
    show,
    templated,
)

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


@writer("postman", "postman_collection.json", usual=True)
def render(result: Result, run: Run) -> str:
    """JSON; credentials are collection variables without a value, answers are kept by test scripts."""
    export = handover(run)
    kept = dict.fromkeys(name for ask in export.asks for name in ask.found)
    variables = {BASE_URL: export.base_url, **dict.fromkeys(export.variables, ""), **dict.fromkeys(kept, "")}
    collection = {
        "info": {
            "name": f"{facts.name_of(result)}: requests to {run.gateway}",
            "description": "The requests that the integration sent, one for each operation, written by payproof. "
            "Fill in the collection's variables, then run the collection from top to bottom.",
            "schema": _SCHEMA,
        },
        "variable": [{"key": name, "value": facts.line(value), "type": "string"} for name, value in variables.items()],
        "item": [_item(ask) for ask in export.asks if sendable(ask)],
    }
    return facts.json_file(collection)


def _item(ask: ExportRequest) -> dict[str, Any]:
    headers = [
        {"key": facts.line(name), "value": facts.line(show(value))}
        for name, value in headers_of(ask)
        if not templated(value)
    ]
    request: dict[str, Any] = {"method": ask.method, "header": headers, "url": _url(show(ask.url))}
    if ask.basic:
        pairs = (("username", "{{client_id}}"), ("password", "{{secret_key}}"))
        request["auth"] = {
            "type": "basic",
            "basic": [{"key": key, "value": value, "type": "string"} for key, value in pairs],
        }
    if ask.body and templated(ask.body):
        request["description"] = "The body is left out: {{ in it would be filled in by Postman."
    elif ask.body:
        kind = header([(name, show(value)) for name, value in ask.headers], "content-type")
        language = "json" if "json" in kind else "text"
        request["body"] = {"mode": "raw", "raw": show(ask.body), "options": {"raw": {"language": language}}}
    item: dict[str, Any] = {"name": ask.operation, "request": request, "response": []}
    if ask.found:
        item["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": _script(ask)}}]
    return item


def _url(raw: str) -> dict[str, Any]:
    """Postman sends what the parts say: ``raw`` is only shown."""
    address, _, query = raw.partition("?")
    host, *path = address.split("/")
    url: dict[str, Any] = {"raw": raw, "host": [host], "path": path}
    if query:
        pairs = (pair.partition("=") for pair in query.split("&"))
        url["query"] = [{"key": key, "value": value} for key, _, value in pairs]
    return url


def _script(ask: ExportRequest) -> list[str]:
    lines = ["const answer = pm.response.json();"]
    return [
        *lines,
        *(
            f"pm.collectionVariables.set({json.dumps(name)}, answer{path_text(path)});"
            for name, path in ask.found.items()
        ),
    ]
