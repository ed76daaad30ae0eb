"""The customer: a browser's manners, the hosted checkout by forms, by Chromium, by a person."""

from payproof.suites.customer.customer import Customer

__all__ = ["Customer"]
