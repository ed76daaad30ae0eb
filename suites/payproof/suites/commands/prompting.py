"""Questions of ``payproof init``: each answer is looked at before the next question, and a question mark helps."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable

import click

from payproof.contracts.model import PayproofError

HELP = {
    "gateway": "The payment provider that this integration calls; payproof list gateways tells them.",
    "name": "Any name; it stands in the reports.",
    "command": "As you start it in a shell, in this folder. {port} stands for a free port. Empty: it runs already, and is not started.",
    "url": "Where it answers now, like http://127.0.0.1:8000.",
    "ready": "payproof asks this path until anything answers, also 404.",
    "checkout": "Method and path of the request that starts a payment. A wrong one is no harm: the form is looked for.",
    "body": "How the order is sent: json, as a script does; form, as a page's form does; or the JSON itself, in one line, like "
    '{"cart": {"total": "{order.amount}"}}, or the fields of the form, like id={order.id}&total={order.amount}.',
    "redirect": "Where the answer says where to pay: location (a redirect), json:/payment_url (a JSON pointer), html:a#pay (a CSS selector).",
    "order": "A page that shows an order's state: its path, a pointer to the state, and the word for paid. Asked by a POST: "
    'POST /api {"order": "{order.id}"} json:/state=paid.',
    "env": "The name under which the code reads this value from its environment. A dash: it does not.",
    "variable": "A variable that the integration needs, and its value: NAME=VALUE. {instance.dir} is a fresh folder for each instance.",
    "correct": "What to answer anew; then the checkout is tried again. Enter: it stays as it is, and the file can be edited.",
}


def prompt(
    key: str, question: str, default: str, check: Callable[[str], object] | None = None, *, needed: bool = True
) -> str:
    """The answer, asked for until it can be used.

    Raises:
        PayproofError: nobody answers. The default is taken instead where no answer is ``needed``.
    """
    while True:
        try:
            answer = str(click.prompt(f"{question} (? for help)", default=default, show_default=bool(default))).strip()
        except click.Abort:
            if not needed:
                return default
            if sys.stdin.isatty():
                raise
            raise PayproofError(
                "there is nobody to answer",
                place=question,
                remedy="give the answers as flags, and --yes (payproof init -h)",
            ) from None
        if answer == "?":
            click.echo(f"  {HELP[key]}")
            continue
        try:
            if check:
                check(answer)
        except PayproofError as error:
            click.echo(f"  {error.message}{f'; {error.remedy}' if error.remedy else ''}")
            continue
        return answer


def split(line: str) -> list[str]:
    """The words of a command.

    Raises:
        PayproofError: a quote is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise PayproofError(f"not a command: {error}", place="--command", remedy="close the quotes") from None
