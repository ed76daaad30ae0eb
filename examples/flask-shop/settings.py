"""What the shop has to be told, by environment variables only: secrets in files end up in repositories."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Settings:
    base_url: str
    client_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    public_url: str
    port: int
    data_dir: Path
    alert_url: str = ""
    token_per_payment: bool = False

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        names = ("PAY_BASE_URL", "PAY_CLIENT_ID", "PAY_SECRET_KEY", "PUBLIC_URL", "PORT", "DATA_DIR")
        if missing := [name for name in names if not env.get(name)]:
            sys.exit(f"Cannot start: set {', '.join(missing)} in the environment (see README.md).")
        base_url, client_id, secret_key, public_url, port, data_dir = (env[name] for name in names)
        if urlsplit(public_url).scheme != "https":
            sys.exit("Cannot start: PUBLIC_URL must begin with https://, customers come back to it.")
        if urlsplit(base_url).scheme != "https" and urlsplit(base_url).hostname not in ("127.0.0.1", "localhost"):
            sys.exit("Cannot start: PAY_BASE_URL must begin with https://, the secret key travels there.")
        if not port.isdecimal():
            sys.exit("Cannot start: PORT must be a number.")
        return cls(
            base_url,
            client_id,
            secret_key,
            public_url.rstrip("/"),
            int(port),
            Path(data_dir),
            env.get("ALERT_WEBHOOK_URL", ""),
            env.get("PAY_TOKEN_PER_PAYMENT") == "1",
        )
