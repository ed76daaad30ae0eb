"""One request as the configuration describes it: of a checkout, of an order's page, of a refund."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urljoin, urlsplit

from payproof.contracts.entries import Page
from payproof.contracts.profile import Fields
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.pages import soup
from payproof.suites.config.models import RequestTable
from payproof.suites.config.placeholders import fill, fill_each, fill_json
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.errands import Visit
from payproof.suites.customer.navigation import merged


def texts_of(recipe: RequestTable) -> list[str]:
    """Every text of a request that may hold placeholders."""
    return [recipe.path, *recipe.headers.values(), *(recipe.form or {}).values(), json.dumps(recipe.json_body or {})]


async def send(
    customer: Customer,
    recipe: RequestTable,
    values: Mapping[str, str],
    purpose: Literal["checkout", "order", "refund"],
    order: str,
    *,
    page: Page | None = None,
    usual: Mapping[str, str] | None = None,
) -> Visit:
    """Send the request of the table ``[integration.PURPOSE]``.

    Args:
        values: the placeholders that it may hold.
        order: the order that it is about, by its id.
        page: where its form stands, if anywhere: the form's hidden fields travel along.
        usual: headers that it has unless the table says otherwise.
    """
    place = f"integration.{purpose}"
    url = urljoin(values["public_url"], fill(recipe.path, values, f"{place}.path"))
    body = fill_json(recipe.json_body, values, f"{place}.json") if recipe.json_body is not None else None
    form = fill_each(recipe.form, values, f"{place}.form") if recipe.form is not None else None
    return await customer.browse(
        recipe.method,
        url,
        purpose=purpose,
        order=order,
        headers=merged(usual or {}, fill_each(recipe.headers, values, f"{place}.headers")),
        json=body,
        form=with_hidden(page, recipe.method, url, form) if body is None else None,
    )


def with_hidden(page: Page | None, method: str, url: str, given: Fields | Mapping[str, str] | None) -> Fields | None:
    """The fields of a form that is sent to ``url``, with the hidden ones that this page's form has; what is given counts.

    Args:
        page: the page that shows the form, such as ``visit.page``.
        method: how the form is sent; only a POST has fields.
        url: where it is sent; the form whose action is that address is meant.
        given: what the customer fills in.
    """
    given = tuple(given.items()) if isinstance(given, Mapping) else given
    if method != "POST" or page is None or page.response is None:
        return given
    target = urlsplit(url)
    for form in soup(page.response.body).find_all("form"):
        action = urlsplit(joined(page.request.url, str(form.get("action") or "")))
        sent_as = str(form.get("method") or "get").lower()
        if sent_as != "post" or (action.path or "/", action.netloc) != (target.path or "/", target.netloc):
            continue
        names = {name for name, _ in given or ()}
        hidden = tuple(
            (str(node["name"]), str(node.get("value", "")))
            for node in form.select("input[type=hidden i][name]:not([disabled])")
            if node["name"] not in names
        )
        return (*hidden, *(given or ())) if hidden or given is not None else None
    return given
