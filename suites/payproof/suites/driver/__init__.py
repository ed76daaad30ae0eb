"""How an integration is used: start a checkout, ask for an order's state. What a driver of your own needs is here."""

from payproof.suites.driver.driver import Driver, Order, OrderState, Started
from payproof.suites.driver.pointers import read
from payproof.suites.driver.sending import with_hidden

__all__ = ["Driver", "Order", "OrderState", "Started", "read", "with_hidden"]
