"""payproof driver for the orders API: remembers by the customer's own label what was created, one creation at a time."""
import asyncio
import json

from payproof.suites.driver import OrderState, Started


class Shop:
    def __init__(self, values):
        self.base = values["public_url"]
        self.ids, self.locks = {}, {}

    async def checkout(self, order, customer, *, again=False):
        async with self.locks.setdefault(order.label, asyncio.Lock()):
            if order.label not in self.ids:
                page = await customer.ask("POST", self.base + "/orders", purpose="checkout", order=order.id,
                                          json={"total": {"value": f"{order.amount:.2f}", "currency": order.currency}})
                if page.response is None or page.response.status != 201:
                    return Started("", page)
                self.ids[order.label] = json.loads(page.response.body)["id"]
        order.id, order.known = self.ids[order.label], True
        page = await customer.ask("POST", f"{self.base}/orders/{order.id}/pay", purpose="checkout", order=order.id)
        if page.response is None or page.response.status != 201:
            return Started("", page)
        links = json.loads(page.response.body)["links"]
        return Started(next(link["href"] for link in links if link["rel"] == "pay"), page)

    async def order(self, order, customer):
        page = await customer.ask("GET", f"{self.base}/orders/{order.id}", purpose="order", order=order.id)
        if page.response is None or page.response.status != 200:
            return OrderState(problem="no order page", page=page)
        doc = json.loads(page.response.body)
        return OrderState(doc["state"], doc["state"] == "settled", doc["deliveries"], doc["remarks"] if "overpaid" in doc["remarks"] else "", page=page)
