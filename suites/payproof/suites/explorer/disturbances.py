"""What goes wrong around the customers of a story: faults, time, keys, restarts. All of it can be made good again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from payproof.contracts.faults import FaultSpec
from payproof.suites.explorer.scope import HELD, HOLDING, LATER
from payproof.suites.explorer.story import StoryStep
from payproof.suites.session.world import World

PATIENT = 30.0
"""Seconds after which a fault that nothing has hit is no longer watched."""


@dataclass(slots=True)
class _Armed:
    number: int
    name: str
    fired: int = 0


class Disturbances:
    """The troubles of one playing. ``reference``: faults on calls about a payment hit only orders whose id holds this."""

    def __init__(self, world: World, reference: str) -> None:
        self.world, self.reference = world, reference
        self.added = 0.0
        """Seconds added to the gateway's clock."""
        self.untold = False
        """The secret key was replaced and the integration does not know."""
        self.refused = False
        """The secret key was replaced for a while without the integration's knowledge."""
        self.moved = False
        """Tokens, time, keys or the process were touched: the integration is no longer in the state it began with."""
        self._armed: list[_Armed] = []
        self._watching: list[asyncio.Task[None]] = []
        self._limited: float | None = None

    def handlers(self) -> Mapping[str, Callable[[StoryStep], Awaitable[None]]]:
        return {
            "revoke": self._revoke,
            "jump": self._jump,
            "rotate": self._rotate,
            "fault": self._fault,
            "well": self._well,
            "restart": self._restart,
        }

    @property
    def hit(self) -> int:
        """How many calls a fault has hit."""
        return sum(self.world.target.faults.fired(each.number) for each in self._armed)

    @property
    def dirty(self) -> bool:
        """The integration is not in the state it began with."""
        return self.moved or self.failed

    @property
    def failed(self) -> bool:
        """Calls to the gateway failed: a shop may be cautious for a while."""
        return self.hit > 0 or self.refused

    def note(self) -> None:
        """After each step: remember when the shop was last told to wait."""
        for each in self._armed:
            fired = self.world.target.faults.fired(each.number)
            if fired > each.fired and each.name == "rate-limit":
                self._limited = self.world.journal.now()
            each.fired = fired

    async def end(self) -> None:
        """Everything is well again: faults cleared, the integration alive and told of its secret key, its wait over."""
        self.stop()
        if self.untold:
            self.world.step("the integration is told its new secret key and restarted", "told")
            await self._restart(StoryStep("restart"))
        await self.world.revive()
        self.note()
        if self._limited is not None:
            await asyncio.sleep(max(self._limited + LATER + 0.1 - self.world.journal.now(), 0.0))

    async def _revoke(self, act: StoryStep) -> None:
        self.world.target.expire_tokens()
        self.moved = True

    async def _jump(self, act: StoryStep) -> None:
        await self.world.target.advance(act.number("seconds"))
        self.added += act.number("seconds")
        self.moved = True

    async def _rotate(self, act: StoryStep) -> None:
        self.world.target.rotate_secret()
        self.untold = self.moved = True
        if act.flag("told"):
            await self._restart(act)
        else:
            self.refused = True

    async def _restart(self, act: StoryStep) -> None:
        await self.world.restart()
        self.untold, self.moved = False, True

    async def _fault(self, act: StoryStep) -> None:
        operation, name = act.text("operation"), act.text("name")
        spec = FaultSpec(
            name=name,
            operation=operation,
            reference=self.reference if self._knows_orders(operation) else "",
            after_effect=act.flag("after_effect"),
            times=act.number("times"),
            params=act.mapping("params"),
        )
        armed = _Armed(self.world.target.faults.arm(spec), name)
        self._armed.append(armed)
        if name in HOLDING:
            self._watching.append(asyncio.create_task(self._cut_off(armed.number)))

    def _knows_orders(self, operation: str) -> bool:
        """Whether calls of it are about a payment; a connection says nothing yet."""
        return bool(operation) and self.world.profile.role_of(operation) != "authenticate"

    async def _cut_off(self, number: int) -> None:
        """Hold a call for a moment, and then close it: nobody waits for half a minute."""
        if await self.world.until(lambda: self.world.target.faults.fired(number) > 0, PATIENT):
            await asyncio.sleep(HELD)
            self.world.target.faults.clear(number)

    async def _well(self, act: StoryStep) -> None:
        self.stop()

    def stop(self) -> None:
        """Clear every fault and watch none any more."""
        for task in self._watching:
            task.cancel()
        self._watching.clear()
        self.world.target.faults.clear()
