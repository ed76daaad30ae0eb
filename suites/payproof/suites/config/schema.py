"""The published JSON Schema of payproof.toml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from payproof.suites.config.models import Config

FILE = Path(__file__).parents[1] / "payproof.schema.json"
"""Kept up to date by a test: ``payproof schema > suites/payproof/suites/payproof.schema.json``."""


def json_schema() -> str:
    """The schema as text (JSON Schema 2020-12)."""
    body: dict[str, Any] = Config.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "payproof.schema.json"}
    return json.dumps({**head, **body, "title": "payproof.toml"}, indent=2, ensure_ascii=False) + "\n"
