"""The gateway to test against: its API, its hosted checkout, its books, its clock and its misbehaviour."""

from payproof.simulator.books.records import Merchant, PaymentView
from payproof.simulator.listening.listener import GatewayServer
from payproof.simulator.simulator import Simulator
from payproof.simulator.target import SimulatorTarget, Target

__all__ = ["GatewayServer", "Merchant", "PaymentView", "Simulator", "SimulatorTarget", "Target"]
