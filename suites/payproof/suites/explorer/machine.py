"""The hypothesis state machine that invents stories. Its rules write steps down; nothing is played while it draws.

That keeps the drawing apart from the shop: the same seed gives the same stories whatever the shop answers, and they can be played
on several instances at once. Broken ones are made smaller on their plain values (``shrinking``).
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, Verbosity, configuration, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from payproof.contracts.model import Json
from payproof.suites.explorer.scope import HOLDING, Scope
from payproof.suites.explorer.story import Story, StoryStep, act

STEPS = 12
"""Steps of a drawn story, at most."""
PAGES, CHANGES = 5, 3
"""Hosted checkouts in one story, and changes of tokens, time, keys or process, at most."""
_TROUBLES = ("fault", "well", "revoke", "jump", "rotate", "restart")
_MONEY = ("pay", "promise", "refuse", "forge", "replay")
"""A story without any of these is about nothing."""
_UNCHECKED = (
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
)
_HOW = st.sampled_from(["back", "tab"])
_THEN = st.sampled_from(["return", "walk"])


class Machine(RuleBasedStateMachine):
    """Draws one story. ``scope`` and ``deliver`` are set by ``draw``; ``deliver`` gets the story at its end."""

    scope: Scope
    deliver: Callable[[Story], None]
    pages: Bundle[int] = Bundle("pages")

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[StoryStep] = []
        self.orders: list[int] = []
        """The order of each page."""
        self.payable: list[int] = []
        """Pages that nobody has paid and that have not run out."""
        self.paid: list[int] = []
        self.visited: list[int] = []
        """Orders whose customer came back to the shop."""
        self.faulty = False
        self.restarts = False
        """Whether the integration may still be restarted, which takes longer than all the rest."""
        self.calm = 0
        """Customers' steps since the last trouble."""
        self.changes = 0

    def teardown(self) -> None:
        if any(each.do in _MONEY for each in self.acts):
            self.deliver(Story(self.scope.wishes, tuple(self.acts)).used())

    def _do(self, do: str, **params: Json) -> None:
        self.acts.append(act(do, **params))
        self.calm = 0 if do in _TROUBLES else self.calm + 1

    def _back(self, page: int) -> None:
        if self.orders[page - 1] not in self.visited:
            self.visited.append(self.orders[page - 1])

    def _start(self, order: int, how: str) -> int:
        self._do("start", order=order, how=how if order in self.orders else "fresh")
        self.orders.append(order)
        self.payable.append(len(self.orders))
        return len(self.orders)

    # -- customers ------------------------------------------------------------------------------------------------------

    @initialize(target=pages, restarts=st.sampled_from([False, False, False, True]))
    def first(self, restarts: bool) -> int:
        self.restarts = restarts and self.scope.restarts
        return self._start(1, "fresh")

    @precondition(lambda self: len(self.orders) < PAGES)
    @rule(target=pages, order=st.sampled_from([2, 3]), how=_HOW)
    def start(self, order: int, how: str) -> int:
        return self._start(order, how)

    @precondition(lambda self: len(self.orders) < PAGES)
    @rule(target=pages, page=pages, how=_HOW)
    def start_again(self, page: int, how: str) -> int:
        return self._start(self.orders[page - 1], how)

    @precondition(lambda self: len(self.orders) < PAGES)
    @rule(target=pages, page=pages, how=_HOW, ended=st.sampled_from(["cancelled", "run out"]), renewed=st.booleans())
    def try_again(self, page: int, how: str, ended: str, renewed: bool) -> int:
        """What most customers do when a payment came to nothing."""
        if ended == "cancelled":
            self._do("cancel", page=page, then="return")
            self._back(page)
        else:
            self._jump(self.scope.life + 1)
        if renewed and self.scope.tokens:
            self._do("revoke")
        return self._start(self.orders[page - 1], how)

    def _paid(self, data: st.DataObject, then: str) -> int:
        page = data.draw(st.sampled_from(self.payable))
        self._do("pay", page=page, then=then)
        self.payable.remove(page)
        self.paid.append(page)
        return page

    @precondition(lambda self: self.payable)
    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        self._back(self._paid(data, "return"))

    @precondition(lambda self: self.payable)
    @rule(data=st.data())
    def pay_and_walk_away(self, data: st.DataObject) -> None:
        self._paid(data, "walk")

    @rule(page=pages, then=_THEN)
    def cancel(self, page: int, then: str) -> None:
        self._do("cancel", page=page, then=then)
        if then == "return":
            self._back(page)

    @precondition(lambda self: self.paid or self.visited)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        """To the return address of what was paid, or to the page of the shop seen last."""
        ways = [*(("come-back", page) for page in self.paid), *(("reload", order) for order in self.visited)]
        do, number = data.draw(st.sampled_from(ways))
        if do == "reload":
            self._do("reload", order=number)
        else:
            self._do("come-back", page=number)
            self._back(number)

    @rule(page=pages, data=st.data())
    def stray(self, page: int, data: st.DataObject) -> None:
        """What customers seldom do, and forgers often: one rule, so that most stories are about paying."""
        open_still = page in self.payable
        ways = ["hosted"]
        ways += ["forge"] if open_still else []
        ways += ["refuse"] if open_still and self.scope.refuses else []
        ways += ["replay"] if open_still and self.paid else []
        ways += ["promise", "promise"] if open_still and self.scope.later else []
        match data.draw(st.sampled_from(ways)):
            case "replay":
                self._do("replay", page=page, other=data.draw(st.sampled_from(self.paid)))
                self._back(page)
            case "hosted":
                self._do("hosted", page=page)
            case "promise":
                self._promise(page, data)
            case way:
                self._do(way, page=page)
                self._back(page)

    def _promise(self, page: int, data: st.DataObject) -> None:
        """The customer pays with money that comes later; sometimes it is decided at once, before anything else happens."""
        then = data.draw(_THEN)
        self._do("promise", page=page, kept=data.draw(st.booleans()), then=then)
        self.payable.remove(page)
        if then == "return":
            self._back(page)
        if data.draw(st.booleans()):
            self._jump(self.scope.later + 1)

    # -- the gateway and the integration --------------------------------------------------------------------------------

    @precondition(lambda self: not self.faulty)
    @rule(data=st.data(), times=st.sampled_from([1, 2, 4]), after=st.booleans())
    def fault(self, data: st.DataObject, times: int, after: bool) -> None:
        kinds = self.scope.mishaps
        mishap = data.draw(st.sampled_from(kinds[data.draw(st.sampled_from(sorted(kinds)))]))
        self._do(
            "fault",
            operation=mishap.operation,
            name=mishap.name,
            params=dict(mishap.params),
            after_effect=after and mishap.effect,
            times=1 if mishap.name in HOLDING else times,
        )
        self.faulty = True

    @precondition(lambda self: self.faulty and self.calm)
    @rule()
    def well(self) -> None:
        self._do("well")
        self.faulty = False

    @precondition(lambda self: self.calm and self.changes < CHANGES)
    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """Tokens, time, keys, the process: one rule, so that stories are about customers first."""
        self.changes += 1
        kinds = [*(("revoke",) if self.scope.tokens else ()), "jump"]
        kinds += ["restart", "rotate", "rotate untold"] if self.restarts else []
        match data.draw(st.sampled_from(kinds)):
            case "revoke":
                self._do("revoke")
            case "jump":
                self._jump(data.draw(st.sampled_from(self.scope.jumps)))
            case "restart":
                self._do("restart")
                self.restarts = False
            case how:
                self._do("rotate", told=how == "rotate")
                self.restarts = False

    def _jump(self, seconds: int) -> None:
        self._do("jump", seconds=seconds)
        if seconds >= self.scope.life:
            self.payable.clear()


def draw(scope: Scope, deliver: Callable[[Story], None], *, chance: str, stories: int) -> None:
    """Let the machine invent about ``stories`` stories; ``deliver`` gets each. ``chance`` decides what is drawn: the same text, the
    same stories."""
    made = type("Stories", (Machine,), {"scope": scope, "deliver": staticmethod(deliver)})
    run_state_machine_as_test(
        seed(chance)(made),
        settings=settings(
            max_examples=stories,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            derandomize=False,
            phases=(Phase.generate,),
            suppress_health_check=_UNCHECKED,
            verbosity=Verbosity.quiet,
        ),
    )


def keep_notes_in(folder: str | None) -> None:
    """Where hypothesis may keep its notes: never in the user's working directory. None: where it would by itself."""
    configuration.set_hypothesis_home_dir(folder)
