"""What an instance of the integration is handed: its command and its environment, with the values of their placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from payproof.simulator.books.records import Merchant, gateway_values
from payproof.suites.config import Config
from payproof.suites.config.placeholders import fill
from payproof.suites.session.launcher import basics


def url_of(config: Config, port: int) -> str:
    """Where an instance listens."""
    return fill(config.integration.url, {"port": str(port)}, "integration.url")


def values_of(config: Config, merchant: Merchant, *, port: int, base: str, folder: Path) -> dict[str, str]:
    """Placeholder -> value. ``base``: the gateway's scheme, host and port; ``folder``: the instance's own."""
    public = f"https://shop-{port}.localhost" if config.integration.command else url_of(config, port).rstrip("/")
    return {
        "port": str(port),
        "public_url": public,
        "instance.dir": str(folder),
        "gateway.base_url": base + config.profile.base_path,
        "gateway.url": base,
        **gateway_values(config.profile, merchant),
    }


def command(config: Config, values: Mapping[str, str]) -> list[str]:
    """The words of the command that starts an instance."""
    return [fill(word, values, "integration.command") for word in config.integration.command]


def environment(config: Config, values: Mapping[str, str]) -> dict[str, str]:
    """The instance's whole environment, but for what exists during a run only: its certificate authority, its alerts' address."""
    own = {name: fill(text, values, f"integration.env.{name}") for name, text in config.integration.env.items()}
    return {**basics(), "PYTHONUNBUFFERED": "1", **own}
