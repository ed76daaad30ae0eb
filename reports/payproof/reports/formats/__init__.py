"""One module for each report format. A new module here is a new format: nothing else knows its name."""

import importlib
import pkgutil


def register() -> None:
    """Import every format, so that it registers itself."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
