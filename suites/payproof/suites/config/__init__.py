"""payproof.toml: its models, its loading, its schema."""

from payproof.suites.config.gateway_tables import SandboxTable, SimulatorSettings
from payproof.suites.config.loading import config_in, load_config, make_config, with_baseline
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
    "config_in",
    "json_schema",
    "load_config",
    "make_config",
    "with_baseline",
]
