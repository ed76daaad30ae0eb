"""The inspector: a page on the control port that shows payments and calls as they happen, and has the gateway's switches on it."""

from payproof.simulator.inspector.access import Access
from payproof.simulator.inspector.app import Inspector
from payproof.simulator.inspector.judging import what_is_known

__all__ = ["Access", "Inspector", "what_is_known"]
