"""The family's observed servers: QuataPay's dialect, other knobs."""

from payproof.simulator.gateways.quatapay import dialect

__all__ = ["dialect"]
