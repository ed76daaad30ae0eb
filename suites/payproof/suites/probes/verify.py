"""Returns that lie, answers that do not fit, and a gateway that cannot be asked."""

from __future__ import annotations

import asyncio
from decimal import ROUND_FLOOR, Decimal
from urllib.parse import urlsplit

from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json
from payproof.suites.probes import always, probe
from payproof.suites.probes.flow import currencies
from payproof.suites.session.world import World


@probe("verify.forged-return")
async def forged_return(world: World) -> None:
    """The customer never pays, and opens the return URL with a perfect success query that they typed by hand."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    url = world.target.forged_return(checkout.payment)
    world.step("the customer opens a forged success address without having paid", StepName.FORGED, url=url)
    await world.come_back(url, customer, order)
    await world.look(order, customer)


@probe("verify.other-payment", variants=always({"replay": "verbatim"}, {"replay": "own-reference"}))
async def replayed_return(world: World, replay: str) -> None:
    """One order is paid; the parameters of its return are replayed on the return URL of another order of the same
    amount, once word for word and once with the other order's own reference put in."""
    paid_order = world.new_order(role="paid")
    buyer = await world.buy(paid_order)
    order, customer = world.new_order(role="unpaid"), world.customer()
    checkout = await world.checkout(order, customer)
    payment, other = world.target.payment(checkout.payment), world.target.payment(buyer.checkout.payment)
    if payment is None or other is None or buyer.tab is None or buyer.tab.state != "left":
        return
    if not order.known:
        # Only a way back tells the shop's own id; a shop with one return URL for all may speak of the paid order after the replay.
        await world.come_back(world.target.forged_return(checkout.payment), customer, order)
    query = world.profile.returned_query(buyer.tab.url)
    if replay == "own-reference":
        crafted = world.profile.forged_return(
            return_url=payment.return_url,
            payment=other.payment,
            transaction=other.transaction,
            amount=Decimal(other.amount),
            currency=other.currency,
            reference=payment.reference or "",
        )
        query = world.profile.returned_query(crafted)
    url = f"{payment.return_url}{'&' if urlsplit(payment.return_url).query else '?'}{query}"
    if world.profile.return_template:
        url = world.profile.filled(payment.return_url, other.payment)
    world.step("the paid order's return is replayed for the unpaid one", StepName.REPLAYED, url=url)
    await world.come_back(url, customer, order, names_order=False)
    await world.look(order, customer)


_ELSEWHERE = ("USD", "EUR")
"""Currencies to lie about where the gateway has one only."""
_WRONG = always({"field": "amount", "by": "much"}, {"field": "amount", "by": "little"}, {"field": "currency"})


@probe("verify.amount", "verify.currency", pauses=2.0, needs=("answers",), variants=_WRONG)
async def wrong_money(world: World, field: str, by: str = "") -> None:
    """The customer pays, but the gateway's status answer speaks of a smaller amount (much less; the same without
    its decimals), or of another currency."""
    tried = currencies(world)
    with_decimals = next((currency for currency in tried if world.profile.money.exponent(currency) == 2), "")
    little = by == "little" and with_decimals
    order = world.new_order("1234.56", with_decimals) if little else world.new_order()
    customer = world.customer()
    checkout = await world.checkout(order, customer)
    payment = world.target.payment(checkout.payment)
    if payment is None:
        return
    if field == "amount":
        decimals = world.profile.money.decimals(payment.currency)
        answered = f"{_smaller(Decimal(payment.amount), by):.{decimals}f}"
        world.target.tamper(checkout.payment, amount=answered)
    else:
        known = (*world.profile.currencies, *_ELSEWHERE)
        answered = next(currency for currency in known if currency != payment.currency)
        world.target.tamper(checkout.payment, currency=answered)
    world.step(f"the gateway will answer that {answered} was paid", StepName.TAMPERED, field=field, answered=answered)
    await world.pay(order, customer, checkout)


def _smaller(amount: Decimal, by: str) -> Decimal:
    """Much less, and yet more when compared as texts (999 for 5000); or a little less: without the decimals, or one unit."""
    if by == "much":
        digits = len(str(int(amount)))
        return Decimal("9" * (digits - 1)) if digits > 1 else amount / 10
    whole = amount.to_integral_value(ROUND_FLOOR)
    return whole if whole < amount else max(amount - 1, Decimal("0.01"))


UNREADABLE: tuple[tuple[str, dict[str, Json]], ...] = (
    ("status", {"status": 500}),
    ("not-json", {}),
    ("cut", {}),
    ("cut", {"keep": 0.97}),
    ("oversized", {}),
    ("other-payment", {}),
    ("empty", {}),
    ("html", {"status": 502}),
    ("status", {"status": 503}),
)

_OUTAGE = 10.0
"""Seconds in which a background job tries again some times, and must not give up."""


@probe(
    "verify.unreachable",
    "errors.not-json",
    "errors.server-error",
    "errors.friendly",
    "flow.recovers",
    group="unverified",
    variants=always(*({"fault": name, **params} for name, params in UNREADABLE)),
)
async def unverified(world: World, fault: str, **params: Json) -> None:
    """The customer has paid, but the status check cannot be believed; then the gateway is well again."""
    await unverifiable(world, fault, params)


@probe(
    "verify.unreachable",
    "flow.recovers",
    group="outage",
    waits=lambda limits: _OUTAGE,
    variants=always({"fault": "status", "status": 503}),
)
async def outage(world: World, fault: str, **params: Json) -> None:
    """The customer has paid, and status checks are answered with an error, not once but for ten seconds; then the gateway is well again."""
    await unverifiable(world, fault, params, lasts=_OUTAGE)


async def unverifiable(world: World, fault: str, params: dict[str, Json], *, lasts: float = 0.0) -> None:
    """Pay, break the status check, come back, look; after ``lasts`` seconds more mend it and reload. A background job has its time
    when the world settles."""
    order, customer = world.new_order(role="unverified"), world.customer()
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    canary = mint_canary(world)
    if fault == "other-payment":
        params = {**params, "answer": await _paid_elsewhere(world)}
    world.step("the customer paid; now the status check fails", StepName.PAID, canary=canary)
    async with world.fault(fault, operation=world.profile.verification, canary=canary, **params) as number:
        await world.come_back(tab.url, customer, order)
        await world.look_when_hit(order, customer, number)
        await asyncio.sleep(lasts)
    await world.mended(order, customer, tab.url)
    await world.recover()


async def _paid_elsewhere(world: World) -> str:
    bought = await world.buy(world.new_order(role="elsewhere"))
    return bought.checkout.payment


def mint_canary(world: World) -> str:
    """A word that only the gateway's error text holds in this run."""
    return "qz" + "".join(world.rng.choices("bcdfghjkmnpqrstvwxz", k=10))
