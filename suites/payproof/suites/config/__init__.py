"""payproof.toml: its models, its loading, its schema."""

from payproof.suites.config.loading import load_config, make_config, with_baseline
from payproof.suites.config.models import (
    Alerts,
    Attest,
    Baseline,
    Cassettes,
    CheckoutTable,
    Config,
    Integration,
    Logs,
    OrderTable,
    SandboxTable,
    SimulatorSettings,
    SourceTable,
)
from payproof.suites.config.schema import json_schema

__all__ = [
    "Alerts",
    "Attest",
    "Baseline",
    "Cassettes",
    "CheckoutTable",
    "Config",
    "Integration",
    "Logs",
    "OrderTable",
    "SandboxTable",
    "SimulatorSettings",
    "SourceTable",
    "json_schema",
    "load_config",
    "make_config",
    "with_baseline",
]
