"""The explorer at work on the example shop: it finds, writes, replays, stays silent, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
from ports import free_port

SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"


def payproof(*words: str | Path, expect: int, timeout: float = 240) -> str:
    """The command line in a process of its own, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "payproof.suites", *map(str, words)], capture_output=True, text=True, timeout=timeout, check=False
    )  # fmt: skip
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def config_of(folder: Path, defect: str = "") -> Path:
    """The flask shop's configuration, perhaps with one of the mistakes that only long stories find."""
    text = (SHOP / "payproof.toml").read_text()
    program = "story_defects.py" if defect else "app.py"
    text = text.replace('"python", "app.py"', f"{json.dumps(sys.executable)}, {json.dumps(str(SHOP / program))}")
    text = text.replace("[integration.env]", f'[integration.env]\nSHOP_DEFECT = "{defect}"')
    text = re.sub(r"\[integration\.source\].*?\n\n", "", text, flags=re.DOTALL)
    path = folder / "payproof.toml"
    path.write_text(text)
    return path


def test_a_defect_that_no_probe_finds_is_found_made_small_written_and_replayed(tmp_path: Path) -> None:
    defect = "late-cancel-wins"
    row = tomllib.loads((SHOP / "story-defects.toml").read_text())["defects"][defect]
    config = config_of(tmp_path, defect)
    arguments = (
        "--config",
        config,
        "--stories",
        "150",
        "--first",
        "--seed",
        "1",
        "-q",
        "--report-dir",
        tmp_path / "report",
    )
    out = payproof("explore", *arguments, expect=1)
    story = json.loads((tmp_path / "report" / "explore" / "story-1.json").read_text())
    rules = {broken["rule"] for broken in story["broken"]}
    assert rules & {row["rule"], *row["also"]}
    assert 2 <= len(story["steps"]) <= 6
    assert story["told"][0] in out
    again = payproof("replay", tmp_path / "report" / "explore" / "story-1.json", "--config", config, expect=1)
    assert "still breaks" in again
    careful = config_of(tmp_path)
    held = payproof(
        "replay", tmp_path / "report" / "explore" / "story-1.json", "--any-config", "--config", careful, expect=0
    )
    assert "breaks nothing any more" in held


def test_the_careful_shop_survives_and_the_figures_are_told(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    out = payproof(
        "explore", "--config", config, "--stories", "60", "--seed", "3", "-q", "--report-dir", tmp_path, expect=0
    )
    assert re.search(r"60 stories \(\d+\.\d a second\), \d+ steps, [1-9]\d* payments charged", " ".join(out.split()))
    assert "money: 60 true, 0 false, 0 unknown" in out
    assert not (tmp_path / "explore").exists()


SECRETS = {"client_id": "canary-client-9f3b7c1d5e", "secret_key": "canary-secret-4a8e2d6c0b"}


@contextmanager
def running(program: str, folder: Path, defect: str = "") -> Generator[Path]:
    """A shop that somebody else started; yields the configuration that payproof needs for it."""
    gateway, port = free_port(), free_port()
    base = f"http://localhost:{gateway}/pay/sandbox/api/v1"
    env = {
        **os.environ, "PAY_BASE_URL": base, "PAY_CLIENT_ID": SECRETS["client_id"], "PAY_SECRET_KEY": SECRETS["secret_key"],
        "PUBLIC_URL": "https://shop.example", "PORT": str(port), "DATA_DIR": str(folder / "data"), "SHOP_DEFECT": defect,
    }  # fmt: skip
    shop = subprocess.Popen(
        [sys.executable, SHOP / program], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    text = re.sub(r"command = .*", "", config_of(folder).read_text())
    text = text.replace("http://127.0.0.1:{port}", f"http://127.0.0.1:{port}")
    text = re.sub(r"\[integration\.env\].*?\n\n", "", text, flags=re.DOTALL)
    text = re.sub(r"\[integration\.alerts\].*", "", text, flags=re.DOTALL)
    lines = "\n".join(f'{name} = "{value}"' for name, value in SECRETS.items())
    path = folder / "running.toml"
    path.write_text(f"{text}\n[simulator]\nport = {gateway}\n{lines}\n")
    try:
        yield path
    finally:
        shop.kill()
        shop.wait()


def test_a_shop_that_already_runs_is_explored_and_replayed_and_no_secret_is_written(tmp_path: Path) -> None:
    with running("story_defects.py", tmp_path, "late-cancel-wins") as config:
        arguments = (
            "--config",
            config,
            "--stories",
            "40",
            "--first",
            "--seed",
            "1",
            "-q",
            "--report-dir",
            tmp_path / "report",
        )
        out = payproof("explore", *arguments, expect=1)
        written = sorted((tmp_path / "report" / "explore").iterdir())
        out += payproof("replay", written[1], "--config", config, expect=1)
    assert {path.suffix for path in written} == {".html", ".json", ".md"}
    for text in (out, *(path.read_text() for path in written)):
        assert not [secret for secret in SECRETS.values() if secret in text]


def test_what_cannot_be_scored_is_not_scored(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    config.write_text(config.read_text().replace('paid    = ["paid"]', 'paid    = ["settled"]'))
    done = subprocess.run(
        [sys.executable, "-m", "payproof.suites", "explore", "--config", config, "--stories", "5"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "the control payment did not end in a paid order" in done.stderr


def test_a_story_of_another_gateway_is_refused(tmp_path: Path) -> None:
    story = {"payproof": "story", "version": 1, "gateway": "qrpay", "seed": 1, "broken": [],
             "orders": [{"order": 1, "amount": "1.00", "currency": "XAF", "customer": "A"}],
             "steps": [{"do": "start", "order": 1, "how": "fresh"}]}  # fmt: skip
    (tmp_path / "story.json").write_text(json.dumps(story))
    payproof("replay", tmp_path / "story.json", "--config", config_of(tmp_path), expect=2)


def test_ctrl_c_in_the_middle_leaves_nothing_running(tmp_path: Path) -> None:
    words = (
        "explore",
        "--config",
        config_of(tmp_path, "late-cancel-wins"),
        "--stories",
        "5000",
        "--report-dir",
        tmp_path,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "payproof.suites", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "suspicion" in line:  # hypothesis is at work in its thread
            break
    time.sleep(0.5)
    family = psutil.Process(process.pid).children(recursive=True)
    assert family
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_without_hypothesis_the_remedy_is_told(tmp_path: Path) -> None:
    (tmp_path / "hypothesis.py").write_text("raise ImportError('hypothesis')\n")
    path = os.pathsep.join((str(tmp_path), *(entry for entry in sys.path if entry)))
    done = subprocess.run(
        [sys.executable, "-m", "payproof.suites", "explore", "--config", config_of(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'payproof[suites]'" in done.stderr
