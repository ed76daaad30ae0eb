"""The contract suite: a server (the simulator, a sandbox) held to its gateway's contract.

``perform(where)`` -> ``SuiteResult``. ``payproof contract`` prints it; ``pytest --pyargs payproof.suites.contract_suite`` makes items of it.
"""

from payproof.suites.conformance.contract.suite import SilentSuite, SuiteProgress, perform
from payproof.suites.conformance.contract.values import BUILT_IN, OWN, PHASES, BrokenRule, Covered, SuiteResult
from payproof.suites.conformance.contract.where import Where, sandbox, simulated

__all__ = [
    "BUILT_IN",
    "OWN",
    "PHASES",
    "BrokenRule",
    "Covered",
    "SilentSuite",
    "SuiteProgress",
    "SuiteResult",
    "Where",
    "perform",
    "sandbox",
    "simulated",
]
