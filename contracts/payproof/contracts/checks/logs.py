"""Interactions are logged, without their secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from payproof.contracts import money
from payproof.contracts.entries import Call, Checkout, Delivery, Log, Page, header
from payproof.contracts.judging.deliveries import where_declared
from payproof.contracts.judging.probe_runs import ProbeRun, probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.model import Finding
from payproof.contracts.reading.access_logs import own_part
from payproof.contracts.run import RecordedWorld

_UNREAD = "no log was read: declare integration.logs.files"
_NEAR = 12
"""Log lines that belong together: a logger may spread one call over several lines."""


def _leak(case: Case, marks: Mapping[str, str]) -> Iterator[Finding]:
    """``marks``: what the placeholder of a secret begins with -> the secret in words."""
    lines, all_ = 0, " or ".join(marks.values())
    for world in case.run.worlds:
        logs = list(world.of(Log))
        lines += len(logs)
        mark = next((mark for mark in marks if any(mark in entry.text for entry in logs)), "")
        found = [entry for entry in logs if mark in entry.text] if mark else []
        if found:
            yield case.failed(
                f"the {marks[mark]} is in {len(found)} log line(s)",
                expected={"lines": 0},
                actual={"lines": len(found), "stream": found[0].stream, "line": found[0].text[:300]},
                world=world,
                seen=found[:5],
            )
            return
    if lines:
        yield case.passed(f"{lines} log lines hold no {all_}", actual={"lines": lines})
    elif any(list(world.of(Call)) for world in case.run.worlds) and case.run.settings.restarts:
        yield case.passed(f"the integration logs nothing, so no {all_} either", actual={"lines": 0})
    else:
        yield case.not_exercised(_UNREAD, declare="logs.files")


@must("logs.no-access-token", needs="authenticate", before_control=True)
def no_access_token(case: Case) -> Iterator[Finding]:
    """No log line holds an access token.

    Why: logs are copied, shipped and read by many; the token acts for the merchant.

    Judged: stdout, stderr and the declared log files over the whole run, plain, URL-encoded, base64, hex, and any part of
    twelve characters or more. A mask or a hash is fine.

    Fix: log the call without its Authorization header; leave the token answer's body out.
    """
    yield from _leak(case, {"<access-token-": "access token"})


@must("logs.no-secret-key", before_control=True)
def no_secret_key(case: Case) -> Iterator[Finding]:
    """No log line holds the secret key, or the secret that notices are signed with.

    Why: logs are copied, shipped and read by many, and whoever has the secret acts as the merchant, or as the gateway.

    Judged: stdout, stderr and the declared log files over the whole run, plain, URL-encoded, base64, hex, and any part of
    twelve characters or more. A mask or a hash is fine.

    Fix: never log a request that carries it, headers and body, nor the process's environment.
    """
    secrets = {f"<{each.name}-": each.name.replace("-", " ") for each in case.profile.credentials if each.secret}
    yield from _leak(case, secrets)


def own_lines(probe_run: ProbeRun) -> list[Log]:
    """What the shop itself wrote: log lines without the web server's access log of what the customer asked for."""
    shop = {urlsplit(page.request.url).path or "/" for page in probe_run.world.of(Page) if page.where == "integration"}
    called = [urlsplit(call.request.url) for call in probe_run.world.of(Call)]
    gateway = {url.path for url in called if url.path not in ("", "/")} | {url.netloc for url in called if url.netloc}
    lines = [replace(entry, text=own_part(entry.text, shop, gateway)) for entry in probe_run.of(Log)]
    return [line for line in lines if line.text]


def windows(lines: list[Log]) -> Iterator[list[Log]]:
    """Lines that belong together, each run of them once from each of its lines on."""
    for start in range(len(lines)):
        yield [line for line in lines[start : start + _NEAR] if line.at - lines[start].at < 1.0]


def _bought(case: Case) -> Iterator[tuple[ProbeRun, Checkout]]:
    for probe_run in probe_runs(case.run, "control", "steady"):
        for checkout in probe_run.checkouts():
            if checkout.payment:
                yield probe_run, checkout


@should("logs.requests")
def requests(case: Case) -> Iterator[Finding]:
    """Each payment request is logged with its order and amount.

    Why: without it nobody can tell afterwards what was asked for.

    Judged: some log line beside the web server's access log shows the order's id and amount of a clean payment.

    Fix: log one line for each create call: order, amount, currency.
    """
    seen = bought = 0
    for probe_run, checkout in _bought(case):
        bought += 1
        amount = money.parse(checkout.amount)
        created = next((call for call in probe_run.calls("open") if call.event.payment == checkout.payment), None)
        names = [
            name
            for name in (checkout.order if checkout.order_known else "", created.opened.reference if created else "")
            if name
        ]
        if amount is None or amount < 100 or not names:
            continue  # Short numbers stand in any log line.
        seen += 1
        written = "|".join(re.escape(spelling) for spelling in money.spellings(amount, checkout.currency))
        sum_ = re.compile(rf"(?<![\d.,])(?:{written})(?!\d)")
        for near in windows(own_lines(probe_run)):
            order = next((line for line in near if any(name in line.text for name in names)), None)
            line = next((line for line in near if sum_.search(line.text)), None)
            if order is not None and line is not None:
                yield case.passed("a log line shows order and amount", world=probe_run.world, seen=[order, line])
                return
    if bought and not seen:
        yield case.not_exercised(
            "no order of 100 or more, whose id is known, was paid for: shorter numbers stand in any log line"
        )
    yield from _silent(case, seen, "order and amount of a payment request")


@should("logs.responses")
def responses(case: Case) -> Iterator[Finding]:
    """The gateway's answers are logged with payment and outcome.

    Why: without it a dispute cannot be settled.

    Judged: some log line beside the web server's access log shows the payment's id or transaction, and its outcome. An
    answer that holds an access token may be left out.

    Fix: log one line for each answer: payment or transaction, HTTP status, outcome.
    """
    seen = bought = 0
    for probe_run, checkout in _bought(case):
        bought += 1
        checks = [
            call for call in probe_run.calls("confirm") if call.event.payment == checkout.payment and call.event.ok
        ]
        if not checks:
            continue
        seen += 1
        names = [name for name in (checkout.payment, checks[-1].payment_status.transaction or "") if name]
        outcome = re.compile(
            rf"(?i)\b({re.escape(checks[-1].payment_status.outcome or 'paid')}|paid|success\w*|confirmed|completed|200)\b|\"paid\"\s*:\s*true"
        )
        for near in windows(own_lines(probe_run)):
            payment = next((line for line in near if any(name[:12] in line.text for name in names)), None)
            line = next((line for line in near if outcome.search(line.text)), None)
            if payment is not None and line is not None:
                yield case.passed("a log line shows payment and outcome", world=probe_run.world, seen=[payment, line])
                return
    if bought and not seen:
        yield case.not_exercised("no status check was answered", because="verify.status-checked")
    yield from _silent(case, seen, "payment and outcome of the gateway's answers")


@should("logs.request-id", needs="request_id")
def request_id(case: Case) -> Iterator[Finding]:
    """The gateway's own id of a call that went wrong is logged.

    Why: it is what the gateway's people ask for first, and nothing else finds one call among theirs.

    Judged: for each kind of call that the gateway answered with an error and an id: some log line shows the id of one of them.

    Fix: log the header that names the call with each answer that is an error.
    """
    answered: dict[str, list[tuple[RecordedWorld, Call, str]]] = {}
    for world in case.run.worlds:
        for call in world.of(Call):
            answer = call.response if call.ending == "answered" else None
            if answer and answer.status >= 400 and (id := header(answer.headers, case.profile.request_id)):
                answered.setdefault(call.event.operation, []).append((world, call, id))
    for operation, errors in answered.items():
        shown = next(((world, call, line) for world, call, id in errors if (line := _line_with(world, id))), None)
        if shown is not None:
            world, call, line = shown
            title = f"a log line shows the gateway's id of a {operation} call that went wrong"
            yield case.passed(title, world=world, seen=[call, line])
        else:
            what = f"the gateway's id of any of {len(errors)} {operation} calls that it answered with an error"
            yield from _silent(case, len(errors), what, about=errors[0][:2])


def _line_with(world: RecordedWorld, id: str) -> Log | None:
    return next((line for line in world.of(Log) if id in line.text), None)


def _silent(case: Case, seen: int, what: str, *, about: tuple[RecordedWorld, Call] | None = None) -> Iterator[Finding]:
    """``about``: a call of which nothing is logged."""
    if seen and (unknown := case.run.facts.get("unattributed_log_lines")):
        yield case.not_exercised(
            f"no line that could be told to be this instance's shows {what}, and {unknown} lines of a shared file could not:"
            " put {instance.dir} or {port} into integration.logs.files"
        )
        return
    worlds = [world for world in case.run.worlds if any(True for _ in world.of(Log))]
    if seen and (worlds or case.run.settings.restarts):
        world: RecordedWorld | None = worlds[0] if worlds else None
        yield case.failed(
            f"no log line shows {what}",
            expected={"lines": "at least 1"},
            actual={"lines": 0},
            world=about[0] if about else world,
            seen=[about[1]] if about else list(world.of(Log))[:3] if world else [],
        )
    elif seen:
        yield case.not_exercised(_UNREAD, declare="logs.files")


@should("logs.webhooks", needs="notices")
@where_declared
def webhooks(case: Case) -> Iterator[Finding]:
    """Each notice is logged with its id or its payment, and what became of it.

    Why: without it nobody can tell afterwards whether the gateway told.

    Judged: beside the web server's access log, some line after a genuine notice that was taken shows the notice's id or the
    payment, and it or a line next to it an outcome.

    Fix: log one line for each notice: its id, its payment, its event, what was done.
    """
    seen: tuple[ProbeRun, Delivery] | None = None
    for probe_run in probe_runs(case.run):
        for delivery in probe_run.of(Delivery):
            if delivery.plain and delivery.accepted:
                seen = seen or (probe_run, delivery)
                if (lines := _lines_about(probe_run, delivery)) is not None:
                    title = "a log line shows a notice and its outcome"
                    yield case.passed(title, world=probe_run.world, seen=[delivery, *lines])
                    return
    if seen is None:
        return
    probe_run, delivery = seen
    logs = [line for world in case.run.worlds for line in world.of(Log)]
    if case.run.facts.get("unattributed_log_lines") or not (logs or case.run.settings.restarts):
        yield case.not_exercised("no log that is surely this instance's was read", declare="logs.files")
    else:
        yield case.failed(
            "no log line shows a notice and its outcome",
            expected={"lines": "at least 1"}, actual={"lines": 0}, world=probe_run.world, seen=[delivery],
        )  # fmt: skip


def _lines_about(probe_run: ProbeRun, delivery: Delivery) -> list[Log] | None:
    names = [name[:12] for name in (delivery.id, delivery.payment) if len(name) >= 4]
    event = re.escape(delivery.event or "notice")
    outcome = re.compile(
        rf"(?i){event}|\b(paid|success\w*|confirmed|completed|settled|captured|processed|taken|done|200)\b"
    )
    lines = [line for line in own_lines(probe_run) if line.at >= delivery.began]
    for near in windows(lines):
        named = next((line for line in near if any(name in line.text for name in names)), None)
        outcome_line = next((line for line in near if outcome.search(line.text)), None)
        if named is not None and outcome_line is not None:
            return list(dict.fromkeys((named, outcome_line)))
    return None
