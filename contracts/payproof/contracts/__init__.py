"""What must hold: the model, the journal, the gateways' profiles, the requirements and their checks."""

__version__ = "0.1.0"
