"""A draft of a configuration that gets better with each payment that is tried with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payproof.contracts.model import PayproofError
from payproof.suites.config import Config, make_config
from payproof.suites.discovery.proposals import next_change
from payproof.suites.discovery.trial import Trial, tried
from payproof.suites.discovery.walk import walked

_TRIES = 8

Tables = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Improved:
    """The draft as far as it got, and whether an order was paid with it."""

    tables: Tables
    paid: bool


async def improved(data: Tables, folder: Path, say: Callable[[str], None]) -> Improved:
    """Start the integration, try a payment, correct what was wrong, and try again while something is to be corrected. ``say`` is
    told of each step; what cannot be found out is told in one sentence, and the draft is returned as far as it got."""
    draft = _Draft(data, folder)
    say("It is started, and one checkout is tried ...")
    for _ in range(_TRIES):
        try:
            trial = await tried(draft.config)
        except PayproofError as error:
            say(f"It does not start: {error.message}")
            if error.remedy:
                say(f"To do: {error.remedy}.")
            break
        if trial.paid and trial.before is not None and trial.before.paid:
            say(f'What is missing: the order is called "{trial.before.state}" before anybody paid for it.')
            break
        if trial.paid:
            say("The payment went through, and the order is paid.")
            return Improved(draft.tables, paid=True)
        if not await draft.changed(trial, say):
            first, *more = trial.diagnosis or ("the order did not become paid.",)
            say(f"What is missing: {first}")
            for hint in more:
                say(hint)
            break
    return Improved(draft.tables, paid=False)


class _Draft:
    """The tables of the file, and what was tried."""

    def __init__(self, data: Tables, folder: Path) -> None:
        self._data, self._folder = data, folder
        self.checkout: Tables = dict(data["integration"]["checkout"])
        self.order: Tables = dict(data["integration"]["order"])
        self._walked = False

    @property
    def tables(self) -> Tables:
        integration = {**self._data["integration"], "checkout": self.checkout, "order": self.order}
        return {**self._data, "integration": integration}

    @property
    def config(self) -> Config:
        return make_config(self.tables, folder=self._folder, place="the draft")

    async def changed(self, trial: Trial, say: Callable[[str], None]) -> bool:
        """Correct one thing; false when nothing more can be found."""
        if (change := next_change(trial, self.checkout, self.order)) is not None:
            say(change.sentence)
            self.checkout = {k: v for k, v in {**self.checkout, **change.checkout}.items() if v is not None}
            self.order.update(change.order)
            return True
        if trial.calls or self._walked:
            return False
        return await self._look_for_the_form(say)

    async def _look_for_the_form(self, say: Callable[[str], None]) -> bool:
        self._walked = True
        say("That request starts no payment; the shop is walked through, to its checkout ...")
        try:
            found = await walked(self.config)
        except PayproofError as error:  # the second start went wrong, and what the first one showed is to be told
            say(f"It did not start a second time: {error.message}")
            return False
        way = found.way
        if way is None:
            say(f"No form on its pages was found to lead to the gateway. {found.refused}".rstrip())
            return False
        say(f"A form at {way.path} leads to the gateway.")
        before = {"before": list(way.before)} if way.before else {}
        self.checkout = {
            "method": "POST", "path": way.path, "form": dict(way.fields), "redirect": way.redirect, **before
        }  # fmt: skip
        return True
