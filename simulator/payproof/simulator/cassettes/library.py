"""The VCR library, which comes with an extra, and is imported when somebody needs it."""

from __future__ import annotations

import importlib
from typing import Any

from payproof.contracts.model import PayproofError


def vcr(module: str) -> Any:
    """``vcr.MODULE``.

    Raises:
        PayproofError: the library is not installed.
    """
    try:
        return importlib.import_module(f"vcr.{module}")
    except ImportError:
        raise PayproofError(
            "cassettes need the VCR library, which is not installed",
            place="payproof[suites]",
            remedy="pip install 'payproof[suites]'",
        ) from None
