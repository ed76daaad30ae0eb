"""What an exchange with the gateway said, in words for people: the asked and the answered half of a call."""

from __future__ import annotations

from payproof.contracts.entries import Call
from payproof.contracts.events import Authenticated, Confirmed, NoticeVerified, Opened, Refunded, Settled

_LONGEST = 200
_ENDINGS = {"hung_up": "the client hung up", "cut": "the gateway broke it off", "held": "it was still open"}


def asked(call: Call) -> str:
    """What the integration wanted."""
    event = call.event
    match event:
        case Authenticated():
            return "asks for an access token"
        case Opened():
            return f"opens a payment of {_amount(event)}" + (f" for {event.reference}" if event.reference else "")
        case Confirmed():
            return f"asks how {_payment(event.payment)} stands"
        case Settled():
            return f"takes the money of {_payment(event.payment)}"
        case Refunded():
            return f"gives back {_amount(event) if event.amount else 'all'} of {_payment(event.payment)}"
        case NoticeVerified():
            return "asks whether a notice is genuine"
        case _:
            return "asks what this gateway does not have"


def answered(call: Call) -> str:
    """What the gateway said to that, or how it ended without an answer."""
    event = call.event
    if call.response is None:
        return f"no answer: {_ENDINGS.get(call.ending, call.ending)} after {call.seconds:.1f} s"
    if not event.ok:
        why = "; ".join(filter(None, event.texts))
        return plain(why) if why else f"no success: HTTP {call.response.status}"
    match event:
        case Authenticated():
            return event.issued or "a token"
        case Opened():
            return _payment(event.payment)
        case Confirmed() | Settled():
            return f"paid, {_amount(event)}" if event.paid else f"not paid: {event.outcome or 'open'}"
        case Refunded():
            return event.outcome or "given back"
        case NoticeVerified():
            return "genuine" if event.genuine else "not genuine"
        case _:
            return f"HTTP {call.response.status}"


def plain(text: str) -> str:
    """``text`` of a stranger on one line that no terminal obeys, cut where it is long."""
    shown = "".join(letter if letter.isprintable() else _escaped(letter) for letter in text[: _LONGEST + 1])
    return shown if len(text) <= _LONGEST else shown[:_LONGEST] + "…"


def _escaped(letter: str) -> str:
    return " " if letter in "\r\n\t" else letter.encode("unicode_escape").decode("ascii")


def _amount(event: Opened | Confirmed | Settled | Refunded) -> str:
    return plain(f"{event.amount or event.spelled or 'no amount'} {event.currency or ''}".rstrip())


def _payment(payment: str | None) -> str:
    if not payment:
        return "no payment"
    return plain(f"payment {payment if len(payment) <= 16 or payment.startswith('<') else payment[:10] + '…'}")
