"""A written story, or a probe run, as a sequence diagram of customers, integration and gateway, built from journal entries. Pure functions."""

from payproof.reports.sequence.account import Account, BrokenStep
from payproof.reports.sequence.page import html, markdown

__all__ = ["Account", "BrokenStep", "html", "markdown"]
