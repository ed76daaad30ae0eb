"""payproof selftest, for real: two shops are started, tested and stopped."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from payproof.suites import cli
from payproof.suites.selftest.shop.defects import DEFECTS


def test_the_instrument_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["selftest", "-q"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.endswith("the instrument is valid\n")
    for name, requirement in DEFECTS.items():
        assert f"{name}: found by {requirement}" in out
    assert not psutil.Process().children(recursive=True)


def test_ctrl_c_in_the_middle_leaves_nothing_running() -> None:
    command = [sys.executable, "-m", "payproof.suites.cli", "selftest"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("done" in line for line in process.stderr)  # on a busy machine it says before that it still works
        started = psutil.Process(process.pid).children(recursive=True)
        assert started
        process.send_signal(2)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert not [each for each in started if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
