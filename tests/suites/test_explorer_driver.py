"""What the explorer makes of a driver that gives an order another id: unknown, and never an accusation."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from payproof.suites.config import Config, load_config
from payproof.suites.explorer.explorer_session import opened
from payproof.suites.explorer.oracle import Truth
from payproof.suites.explorer.playing import Care, Played, play
from payproof.suites.explorer.story import OrderSpec, Story, StoryStep

SHOP = Path(__file__).parents[1] / "integrations" / "python-api-driver"
FORGETFUL = """
from drive import Shop as Careful

class Shop(Careful):
    async def checkout(self, order, customer, *, again=False):
        if not again:
            self.ids.pop(order.label, None)  # a new basket, and with it a new order
        return await super().checkout(order, customer, again=again)
"""


def _config(folder: Path, driver: str) -> Config:
    for file in SHOP.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    (folder / "forgetful.py").write_text(FORGETFUL)
    path = folder / "payproof.toml"
    text = path.read_text().replace('["uvicorn", ', f'["{sys.executable}", "-m", "uvicorn", ')
    path.write_text(text.replace("drive.py:Shop", driver))
    return load_config(path)


def _act(do: str, **params: str | int) -> StoryStep:
    return StoryStep(do, tuple(params.items()))


def _story(*acts: StoryStep) -> Story:
    return Story((OrderSpec(1, "5000.00", "XAF", "A"),), acts)


TWO_TABS = _story(
    _act("start", order=1, how="fresh"),
    _act("start", order=1, how="tab"),
    _act("pay", page=1, then="return"),
    _act("pay", page=2, then="return"),
)
BACK = _story(
    _act("start", order=1, how="fresh"), _act("start", order=1, how="back"), _act("pay", page=2, then="return")
)


def _played(config: Config, *stories: Story) -> list[tuple[Played, bool]]:
    async def work() -> list[tuple[Played, bool]]:
        async with opened(config, 5) as stage:
            ground = await stage.open()
            return [await play(stage, ground, story, Care.ACCUSING) for story in stories]

    return asyncio.run(work())


def test_a_second_order_of_the_drivers_making_is_unknown_and_says_what_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (second, usable), (back, _) = _played(_config(tmp_path, "forgetful.py:Shop"), TWO_TABS, BACK)
    assert (second.truth, second.broken) == (Truth.UNKNOWN, ())
    assert "the driver made a second order" in second.problem
    assert "again=False" in second.problem
    assert usable  # nothing is wrong with the integration
    assert back.truth is Truth.TRUE


def test_a_driver_that_submits_the_same_order_again_is_judged(tmp_path: Path) -> None:
    ((played, _),) = _played(_config(tmp_path, "drive.py:Shop"), TWO_TABS)
    assert played.problem == ""
    assert played.truth is Truth.TRUE
