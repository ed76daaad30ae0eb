"""The gateway's misbehaviours, one class each. A class registers itself; its docstring is its documentation."""

from payproof.simulator.faults.registry import Fault, registered

__all__ = ["Fault", "registered"]
