"""The driver that a configuration asks for: its own, from a file, or the recipe's."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from payproof.contracts.model import PayproofError
from payproof.suites.config import Config
from payproof.suites.customer.customer import Customer
from payproof.suites.driver.driver import Driver, Order, OrderState, Started
from payproof.suites.driver.recipe import RecipeDriver


def load_driver(config: Config, values: Mapping[str, str], *, proven: bool = False) -> Driver:
    """The configured driver. ``proven``: see ``RecipeDriver``.

    Raises:
        PayproofError: the file or the class is not there, or has not the two methods.
    """
    text = config.integration.driver
    if not text:
        return RecipeDriver(config, values, proven=proven)
    file, _, name = text.rpartition(":")
    path = Path(config.folder, file)
    place = f"integration.driver = {text}"
    spec = importlib.util.spec_from_file_location(f"payproof_driver_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise PayproofError(
            f"no such file: {path}", place=place, remedy="the path is relative to the configuration file"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        made: Any = getattr(module, name)(dict(values))
    except Exception as error:
        raise PayproofError(f"the driver does not load: {type(error).__name__}: {error}", place=place) from None
    if not (callable(getattr(made, "checkout", None)) and callable(getattr(made, "order", None))):
        raise PayproofError(
            f"{name} has not both methods, checkout and order", place=place, remedy="see docs/driver.md"
        )
    return _Guarded(made, place)


class _Guarded:
    """A user's driver: what goes wrong in it is said to be its own."""

    def __init__(self, driver: Driver, place: str) -> None:
        self._driver, self._place = driver, place

    async def checkout(self, order: Order, customer: Customer, *, again: bool = False) -> Started:
        try:
            return await self._driver.checkout(order, customer, again=again)
        except Exception as error:
            raise self._blamed("checkout", error) from error

    async def order(self, order: Order, customer: Customer) -> OrderState:
        try:
            return await self._driver.order(order, customer)
        except Exception as error:
            raise self._blamed("order", error) from error

    def _blamed(self, verb: str, error: Exception) -> PayproofError:
        line = error.__traceback__.tb_next.tb_lineno if error.__traceback__ and error.__traceback__.tb_next else 0
        return PayproofError(
            f"the driver's {verb} broke: {type(error).__name__}: {error}",
            place=f"{self._place}, line {line}",
            remedy="mend the driver; an answer of the shop that it did not expect should become Started or OrderState",
        )
