"""``payproof lint``: what the source tells by itself."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from payproof.contracts import profile
from payproof.suites import cli

LITERAL = "q7Zk2mVx9Lw4Tn8s"
CONFIG = """
[integration]
name = "shop"
command = ["python", "app.py"]
env = { SHOP_PHRASE = "{gateway.secret_key}" }
checkout = { path = "/checkout" }
order = { path = "/orders/{order.id}", status = "json:/status", paid = ["paid"] }
"""
Lint = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lint:
    monkeypatch.chdir(tmp_path)

    def go(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(("lint", *arguments))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return go


def test_a_literal_credential_is_shown_by_its_place_and_not_by_its_value(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "pay.py").write_text(f'\nclient_secret = "{LITERAL}"\n')
    code, out, err = lint()
    assert (code, out) == (1, "pay.py:2: a literal credential\n")
    assert LITERAL not in out + err


TEXT, LETTERS = "aB3dE6gH9kLm2nPq5sTv8xYz1cF4jR7wU0aB3dE6", "q7z2m4x9w1t8s3k5q7z2m4x9w1t8s3k5"
OF_OTHERS = {
    "AWS Access Key": f"see AKI{'A'}{TEXT[:16].upper()}",
    "AWS Access Key ": f"Aws_pw = '{TEXT}'",
    "Azure Storage Account access key": f"Account{'Key'}={(TEXT * 3)[:88]}",
    "Basic Auth Credentials": f"dsn = https://me:{TEXT[:12]}@db/x",
    "GitHub Token": f"gh{'p'}_{TEXT[:36]}",
    "Private Key": f"-----BEGIN RSA {'PRIVATE'} KEY-----",
    "Slack Token": f"xox{'b'}-1234-5678-{LETTERS}",
    "Square OAuth Secret": f"sq0{'csp'}-{(TEXT * 2)[:43]}",
    "Stripe Access Key": f"sk_{'live'}_{TEXT[:24]}",
    "Twilio API Key": f"A{'C'}{LETTERS}",
}


@pytest.mark.parametrize("kind", OF_OTHERS)
def test_keys_of_other_services_are_found_by_their_form(lint: Lint, tmp_path: Path, kind: str) -> None:
    (tmp_path / "pay.py").write_text(f"\nx = [{OF_OTHERS[kind]!r}]\n")
    assert lint()[:2] == (1, f"pay.py:2: {kind.strip()}\n")


def test_credentials_from_the_environment_are_fine(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "pay.py").write_text('client_secret = os.environ["CLIENT_SECRET"]\n')
    code, out, err = lint()
    assert (code, out, err) == (0, "", "0 found in 1 files\n")


def test_a_configuration_adds_the_names_by_which_credentials_are_taken(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "pay.py").write_text(f'SHOP_PHRASE = "{LITERAL}"\n')
    assert lint()[0] == 0
    (tmp_path / "payproof.toml").write_text(CONFIG)
    assert lint()[:2] == (1, "pay.py:1: a literal credential\n")


def test_only_what_is_declared_or_named_is_read(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "good/pay.py").write_text("pass\n")
    (tmp_path / "other.py").write_text(f'api_key = "{LITERAL}"\n')
    (tmp_path / "payproof.toml").write_text(CONFIG + '[integration.source]\npaths = ["good"]\n')
    assert lint()[0] == 0
    assert lint("other.py")[0] == 1
    assert lint("good")[0] == 0


def test_an_env_file_in_git_is_a_find(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("pass\n")
    (tmp_path / ".env").write_text("A=b\n")
    assert lint()[0] == 0
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", ".env"], check=True)
    assert lint()[:2] == (1, ".env:1: a .env file is tracked by git\n")


def test_what_a_repository_names_is_not_started(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("pass\n")
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "app.py"], check=True)
    subprocess.run(["git", "config", "core.fsmonitor", "touch started; true"], check=True)
    assert lint()[0] == 0
    assert not (tmp_path / "started").exists()


def test_a_tree_without_end_is_read_down_to_where_sources_are(
    lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a tree took minutes, or more stack than there is."""
    down = tmp_path / "src"
    down.mkdir()
    (down / "app.py").write_text(f'API_KEY = "{LITERAL}"\n')
    monkeypatch.chdir(down)
    for _ in range(1_100):
        Path("d").mkdir()
        monkeypatch.chdir("d")
    monkeypatch.chdir(tmp_path)
    code, out, err = lint()
    subprocess.run(["rm", "-rf", "src"], check=True)  # deeper than shutil.rmtree goes
    assert (code, out, err.splitlines()[-1]) == (1, "src/app.py:1: a literal credential\n", "1 found in 1 files")


def test_where_there_is_nothing_to_read_nothing_is_said_to_be_fine(lint: Lint) -> None:
    code, out, err = lint()
    assert (code, out) == (2, "")
    assert "no source file" in err
    assert "  do: " in err


def test_a_wrong_configuration_is_told(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("pass\n")
    (tmp_path / "payproof.toml").write_text("[integration]\nnam = 1\n")
    assert lint()[0] == 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f'pay.connect("quay_test_{LITERAL}{LITERAL}")', 1),
        (f'PAGE_KEY = "quay_page_{LITERAL}"  # it may be in pages', 0),
        ('pay.connect("quay_test_" + os.environ["KEY"])', 0),
        ('pay.connect("quay_test_xxxxxxxxxxxxxxxxxxxxxxxx")', 0),
    ],
)
@pytest.mark.parametrize("configured", [True, False])
def test_a_key_that_bears_the_gateways_mark_is_seen_wherever_it_stands(
    lint: Lint, tmp_path: Path, line: str, code: int, *, configured: bool
) -> None:
    (tmp_path / "pay.py").write_text(f"{line}\n")
    if configured:
        env = 'env = { PAY_KEY = "{gateway.api_key}", PAGE_KEY = "{gateway.page_key}" }'
        mine = [env if each.startswith("env") else each for each in CONFIG.splitlines()]
        (tmp_path / "payproof.toml").write_text("\n".join(['gateway = "quay"', *mine]))
    assert lint()[0] == code


@pytest.fixture
def broken_gateway(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another package's gateway that cannot be imported."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "sunken.py").write_text('raise RuntimeError("no such\\nharbour")\n')
    told = folder / "sunken-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: sunken\nVersion: 1\n")
    (told / "entry_points.txt").write_text("[payproof.gateways]\nsunken = sunken:PROFILE\n")
    monkeypatch.syspath_prepend(folder)  # pyright: ignore[reportUnknownMemberType]
    profile.offered.cache_clear()
    yield
    profile.offered.cache_clear()


@pytest.mark.usefixtures("broken_gateway")
def test_a_gateway_that_cannot_be_loaded_is_named_and_the_others_keys_are_looked_for(
    lint: Lint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pay.py").write_text(f'pay.connect("quay_test_{LITERAL}{LITERAL}")\n')
    code, out, err = lint()
    assert (code, out) == (1, "pay.py:1: a literal credential\n")
    assert err.splitlines()[0] == 'left out: gateway "sunken" cannot be loaded (RuntimeError: no such harbour)'
    assert cli.run(("list", "gateways")) == 0
    assert "quay" in capsys.readouterr().out
    assert cli.run(("serve", "--gateway", "sunken")) == 2
    assert "mend or remove the package" in capsys.readouterr().err


@pytest.mark.parametrize("piece", ["-a", "['a']", "secret_key"])
def test_a_minified_line_is_read_in_linear_time(lint: Lint, tmp_path: Path, piece: str) -> None:
    """Data in a bundle looked from each of its words to the end of the line: minutes."""
    (tmp_path / "app.js").write_text(f"data = {piece * (100_000 // len(piece))};\nAPI_KEY = '{LITERAL}'\n")
    began = time.process_time()
    assert lint()[1] == "app.js:2: a literal credential\n"
    assert time.process_time() - began < 2
