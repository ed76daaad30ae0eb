"""``payproof replay`` plays the shop that a story was found with, says which one, and refuses another."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from payproof.suites import cli
from payproof.suites.config import Config, load_config
from payproof.suites.explorer import file
from payproof.suites.explorer.oracle import Ruling, Truth
from payproof.suites.explorer.origin import fingerprint, origin
from payproof.suites.explorer.playing import Played
from payproof.suites.explorer.story import OrderSpec, Story, StoryStep

SHOP = """gateway = "{gateway}"
[integration]
name = "{name}"
command = ["python", "{program}"]
[integration.env]
MODE = "{mode}"
[integration.checkout]
path = "/checkout"
json = {{ order_id = "{{order.id}}" }}
[integration.order]
path = "/orders/{{order.id}}"
status = "json:/status"
"""
STORY = Story((OrderSpec(1, "5000.00", "XAF", "A"),), (StoryStep("start", (("order", 1), ("how", "fresh"))),))
Replay = Callable[..., tuple[int, str, str]]


def _shop(folder: Path, name: str = "hats", program: str = "app.py", mode: str = "", gateway: str = "quatapay") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "payproof.toml"
    path.write_text(SHOP.format(name=name, program=program, mode=mode, gateway=gateway))
    return path


def _story(folder: Path, config: Config, source: Path | None) -> Path:
    played = Played(STORY, Truth.FALSE, (Ruling("charged-is-paid", 1, Truth.FALSE),))
    return file.write(
        folder,
        1,
        played,
        name=config.integration.name,
        gateway=config.gateway,
        seed=9,
        config=None,
        found_with=origin(config, source, folder),
    )


@pytest.fixture
def replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Replay:
    """Replays from an empty folder, on shops that keep every rule: (exit code, stdout, stderr)."""
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    for name in os.environ:
        if name.startswith("PAYPROOF_"):
            monkeypatch.delenv(name)
    command = importlib.import_module("payproof.suites.commands.replay")

    def kept(config: Config, written: file.StoryFile) -> Played:
        return Played(STORY, Truth.TRUE)

    monkeypatch.setattr(command, "_played", kept)

    def go(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.run(["replay", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), " ".join(err.split())

    return go


def test_a_story_is_replayed_with_its_own_configuration_and_the_shop_is_named(tmp_path: Path, replay: Replay) -> None:
    path = _shop(tmp_path / "hats")
    story = _story(tmp_path / "hats" / "payproof-report" / "explore", load_config(path), path)
    _shop(tmp_path / "elsewhere", "shoes", "shoes.py")
    code, out, _ = replay(story)
    assert code == 0
    assert "plays hats of" in out
    assert "shoes" not in out


def test_another_configuration_is_refused_with_both_and_the_remedy(tmp_path: Path, replay: Replay) -> None:
    path = _shop(tmp_path / "hats")
    story = _story(tmp_path / "hats" / "explore", load_config(path), path)
    other = _shop(tmp_path / "shoes", "shoes", "shoes.py")
    code, out, err = replay(story, "--config", other)
    assert (code, "breaks nothing" in out) == (2, False)
    assert str(path) in err
    assert str(other) in err
    assert "--config PATH" in err
    assert "--any-config" in err


def test_one_may_insist_on_another_configuration(tmp_path: Path, replay: Replay) -> None:
    path = _shop(tmp_path / "hats")
    story = _story(tmp_path / "hats" / "explore", load_config(path), path)
    code, out, _ = replay(story, "--any-config", "--config", _shop(tmp_path / "shoes", "shoes", "shoes.py"))
    assert code == 0
    assert "plays shoes of" in out


def test_a_configuration_that_changed_since_is_refused(tmp_path: Path, replay: Replay) -> None:
    path = _shop(tmp_path / "hats")
    story = _story(tmp_path / "hats" / "explore", load_config(path), path)
    _shop(tmp_path / "hats", mode="careful")
    code, _, err = replay(story)
    assert code == 2
    assert "its integration is not the same" in err


def test_a_story_that_was_carried_elsewhere_finds_the_same_configuration_in_this_folder(
    tmp_path: Path, replay: Replay
) -> None:
    path = _shop(tmp_path / "hats")
    story = _story(tmp_path / "hats" / "explore", load_config(path), path)
    carried = tmp_path / "deep" / "er" / "tests" / "story-1.json"
    carried.parent.mkdir(parents=True)
    carried.write_text(story.read_text())
    assert replay(carried)[0] == 2
    _shop(tmp_path / "elsewhere")
    assert replay(carried)[0] == 0


def test_a_story_found_from_the_command_line_alone_wants_the_same_command_line(tmp_path: Path, replay: Replay) -> None:
    flags = (
        "--checkout",
        "POST /checkout",
        "--order",
        "/orders/{order.id} json:/status=paid",
        "--",
        "python",
        "app.py",
    )
    from payproof.suites.commands.run import configuration
    from payproof.suites.commands.short_forms import Flags

    given = Flags(checkout=flags[1], order=flags[3], command=flags[5:])
    story = _story(tmp_path / "explore", configuration(None, given), None)
    assert replay(story, *flags)[0] == 0
    code, _, err = replay(story, *flags[:-1], "other.py")
    assert code == 2
    assert "the command line alone" in err
    _shop(tmp_path / "elsewhere")
    assert replay(story)[0] == 2


def test_an_older_story_says_nothing_and_that_is_said(tmp_path: Path, replay: Replay) -> None:
    path = _shop(tmp_path / "elsewhere")
    story = _story(tmp_path / "explore", load_config(path), path)
    raw = json.loads(story.read_text())
    del raw["configuration"]
    story.write_text(json.dumps(raw))
    code, out, _ = replay(story)
    assert code == 0
    assert "does not say with which configuration it was found" in out
    assert "plays hats of" in out


def test_the_digest_holds_what_changes_a_story_and_nothing_else(tmp_path: Path) -> None:
    def of(**changes: str) -> str:
        return fingerprint(load_config(_shop(tmp_path, **changes)))

    assert of() == of(name="a new name")
    assert len({of(), of(program="b.py"), of(mode="x"), of(gateway="qrpay")}) == 4


def test_a_malformed_origin_is_no_story(tmp_path: Path, replay: Replay) -> None:
    path = _shop(tmp_path / "hats")
    story = _story(tmp_path / "hats" / "explore", load_config(path), path)
    story.write_text(json.dumps({**json.loads(story.read_text()), "configuration": ["payproof.toml"]}))
    code, _, err = replay(story)
    assert code == 2
    assert "not a whole story" in err
