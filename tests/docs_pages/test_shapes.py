"""docs/shapes.md: each configuration is that of a shop that payproof is tested with, or is run here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doc_pages import ROOT, Block, blocks
from ports import free_port, listens

PAGE = "docs/shapes.md"
FROM = re.compile(r"\]\((\.\./[^)]+/payproof\.toml)\)")


def _shapes() -> list[Block]:
    return [block for block in blocks("toml") if block.page == PAGE]


def shape(name: str) -> str:
    return next(block.text for block in _shapes() if f'name = "{name}"' in re.sub(" +", " ", block.text))


def test_every_shape_is_the_file_of_a_shop_or_is_run_here() -> None:
    alone: list[str] = []
    for block in _shapes():
        table = tomllib.loads(block.text)
        if shop := FROM.search(block.section):
            assert table == tomllib.loads((ROOT / "docs" / shop[1]).read_text()), block.place
        else:
            alone.append(table["integration"]["name"])
    assert alone == ["already-there", "told-by-notices"]


def test_every_section_of_the_table_is_there_with_one_configuration() -> None:
    text = (ROOT / PAGE).read_text()
    listed = re.findall(r"^\|.*\[(.+?)\]\(#", text, re.MULTILINE)
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [section.splitlines()[0] for section in sections] == listed
    assert [section.count("```toml") for section in sections] == [1] * len(listed)


def payproof(*words: str, folder: Path, **env: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "payproof.suites.cli", *words],
        cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PARTIAL" in done.stdout, "one payment, and nothing that failed"


@contextmanager
def started(**env: str) -> Generator[None]:
    """The selftest's shop, as somebody else would start it."""
    shop = subprocess.Popen([sys.executable, "-m", "payproof.suites.selftest.shop"], env={**os.environ, **env})
    try:
        end = time.monotonic() + 60
        while not listens(int(env["PORT"])):
            assert shop.poll() is None, "the shop ended"
            assert time.monotonic() < end, "the shop does not listen"
            time.sleep(0.05)
        yield
    finally:
        shop.kill()
        shop.wait()


def test_an_integration_that_already_runs_is_paid_at(tmp_path: Path) -> None:
    gateway, port = free_port(), free_port()
    text = shape("already-there").replace("8400", str(gateway)).replace("8000", str(port))
    (tmp_path / "payproof.toml").write_text(text)
    keys = tomllib.loads(text)["simulator"]
    env = {
        "PAY_BASE_URL": f"http://localhost:{gateway}/pay/sandbox/api/v1",
        "PAY_CLIENT_ID": keys["client_id"],
        "PAY_SECRET_KEY": keys["secret_key"],
        "PUBLIC_URL": "https://shop.example",
        "PORT": str(port),
        "DATA_DIR": str(tmp_path / "data"),
    }
    with started(**env):
        payproof("run", "--only", "flow.success", "--format", "json", folder=tmp_path)


def test_an_integration_that_is_told_by_notices_is_judged(tmp_path: Path) -> None:
    python = str(Path(sys.executable).parent)
    text = shape("told-by-notices").replace('"python"', f'"{sys.executable}"')
    (tmp_path / "payproof.toml").write_text(
        text.replace("[integration.env]", f'[integration.env]\nPYTHONPATH = "{ROOT}/tests/lib"')
    )
    found = {"PYTHONPATH": f"{ROOT}/tests/lib", "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}
    payproof("run", "--only", "webhook.signature-verified", "--format", "json", folder=tmp_path, **found)


def test_a_shape_that_differs_from_its_shop_would_be_found() -> None:
    block = _shapes()[0]
    shop = FROM.search(block.section)
    assert shop
    changed = tomllib.loads(block.text.replace("/cart/add/1", "/cart/add/2"))
    assert changed != tomllib.loads((ROOT / "docs" / shop[1]).read_text())


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PAYPROOF_")]:
        monkeypatch.delenv(name)
