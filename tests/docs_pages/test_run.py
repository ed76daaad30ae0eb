"""What is cheap to run of the pages is run as it stands there: the command without a file, what judges a saved run again, the
cURLs on a simulator, the driver, tests with the fixture, snippets of Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from doc_commands import commands, whole_lines
from doc_pages import ROOT, Block, blocks
from results import a_run

from payproof.contracts.comparing.catalogue import catalogue_of
from payproof.contracts.entries import Call
from payproof.contracts.gateways.quatapay.drift import steps, tokens
from payproof.contracts.judging.judge import judge
from payproof.contracts.profile import load
from payproof.reports.folder import write_all
from payproof.simulator.testing import GatewayThread

from ..simulator.served_process import Served, serving  # noqa: TID252

PYTHON = Path(sys.executable).parent


def block(page: str, text: str) -> Block:
    """The one block of a page that holds this text."""
    (found,) = (it for it in blocks() if it.page == page and text in it.text)
    return found


def run(*words: str | Path, folder: Path, code: int = 0, **env: str) -> str:
    """Run a program as a user would, with the tested payproof first on the path; what it printed."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PAYPROOF_")}
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env={**own, "PATH": f"{PYTHON}{os.pathsep}{own['PATH']}", **env},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_command_without_a_file_works_on_the_shipped_shop_and_its_run_can_be_judged_again(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(ROOT / "examples/flask-shop", shop, ignore=shutil.ignore_patterns("payproof*", "__pycache__"))
    (words,) = commands(block("README.md", "--env PAY_BASE_URL=").text)
    out = run(*words[:2], "--only", "flow.success", *words[2:], folder=shop)
    assert "PARTIAL" in out
    (shop / "payproof.toml").write_text(
        (ROOT / "examples/flask-shop/payproof.toml").read_text().partition("[sandbox]")[0]
    )
    for words in commands(block("docs/reports.md", "payproof check").text):
        run(*words, folder=shop)
    assert (shop / "payproof-report/report.html").is_file()
    run("sh", "-c", block("docs/reports.md", "python -c").text, folder=shop)
    # requests.sh on a simulator, as the page says
    with GatewayThread("quatapay") as gateway:
        line = block("docs/reports.md", "requests.sh").text.replace(
            "http://127.0.0.1:8400/pay/sandbox/api/v1", gateway.base_url
        )
        keys = {"CLIENT_ID=...": f"CLIENT_ID={gateway.client_id}", "SECRET_KEY=...": f"SECRET_KEY={gateway.secret_key}"}
        for old, new in keys.items():
            assert old in line
            line = line.replace(old, new)
        run("sh", "-c", line, folder=shop)
        answered = [entry.response.status for entry in gateway.journal() if isinstance(entry, Call) and entry.response]
    assert answered[:2] == [200, 200], "a token and a payment"


def a_report(folder: Path) -> None:
    """The reports of a small run."""
    run = a_run()
    write_all(judge(run, load("quatapay")), run, folder / "payproof-report", ["json", "markdown"])


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_keys_that_openssl_makes_sign_a_bundle_and_openssl_sees_a_changed_manifest(tmp_path: Path) -> None:
    a_report(tmp_path)
    made, checked = (block("docs/deciding.md", text).text for text in ("openssl genpkey", "openssl pkeyutl"))
    assert run("sh", "-ec", made, folder=tmp_path).splitlines()[-1] == "GENUINE"
    unpacked = "unzip -q evidence.zip manifest.json manifest.sig"
    assert checked.splitlines()[0] == unpacked
    if not shutil.which("unzip"):
        checked = checked.replace(
            unpacked, f"{sys.executable} -m zipfile -e evidence.zip all && cp all/manifest.* ."
        )  # what unzip does
    assert "Verified Successfully" in run("sh", "-ec", checked, folder=tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    assert "Failure" in run("sh", "-c", checked.splitlines()[-1], folder=tmp_path, code=1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("served")) as gateway:
        yield gateway


class Shell:
    """Lines of a block one after the other, each with what the answers before it told: a token, a payment."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served, self.folder = served, folder
        self.known = {"CLIENT_ID": served.client_id, "SECRET_KEY": served.secret_key}

    def type(self, line: str) -> Any:
        line = line.replace(":8400", f":{self.served.gateway}").replace(":8401", f":{self.served.control}")
        if re.fullmatch(r"(\w+=\S+\s*)+", line):
            self.known |= dict(re.findall(r"(\w+)=(\S+)", line))
            self.known |= {"TOKEN": self.served.token} if self.known.get("TOKEN") == "..." else {}
            return None
        line = line.replace("curl ", "curl --max-time 60 ")
        if "/follow" in line:
            return json.loads(self.first_line_of(line))
        answer: Any = json.loads(run("sh", "-c", line, folder=self.folder, code=0, **self.known).splitlines()[0])
        data: dict[str, Any] = (answer["data"] or {}) if "data" in answer else {}
        self.known |= {"ACCESS_TOKEN": data["access_token"]} if "access_token" in data else {}
        self.known |= {"PAYMENT": data["token"]} if "payment_url" in data else {}
        return answer

    def first_line_of(self, line: str) -> str:
        """What a command says first that would go on for ever."""
        environment = {**os.environ, **self.known}
        with subprocess.Popen(
            ["sh", "-c", f"exec {line}"], env=environment, text=True, stdout=subprocess.PIPE
        ) as going:
            assert going.stdout
            try:
                return going.stdout.readline()
            finally:
                going.kill()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curls_on_the_simulator_and_its_control_port_are_answered(served: Served, tmp_path: Path) -> None:
    shell = Shell(served, tmp_path)
    first = [shell.type(line) for line in whole_lines(block("README.md", "/authentication/token").text) if line.strip()]
    assert [answer["type"] for answer in first if answer] == ["success"] * 3
    answers = [shell.type(line) for line in whole_lines(block("docs/simulator.md", "/clock").text) if line.strip()]
    assert [answer for answer in answers if isinstance(answer, dict) and "error" in answer] == []
    assert {"id": 1} in answers
    assert len(answers) > 8


def test_the_complete_driver_drives_the_shop_that_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "drive.py").write_text(block("docs/driver.md", "class Shop").text)
    shutil.copy(Path(__file__).with_name("basket_shop.py"), tmp_path / "shop.py")
    env = {
        "PAY_BASE_URL": "{gateway.base_url}", "PAY_CLIENT_ID": "{gateway.client_id}", "PUBLIC_URL": "{public_url}",
        "PAY_SECRET_KEY": "{gateway.secret_key}", "PORT": "{port}", "DATA_DIR": "{instance.dir}",
    }  # fmt: skip
    table = "\n".join(f'{name} = "{value}"' for name, value in env.items())
    (tmp_path / "payproof.toml").write_text(
        f"{block('docs/driver.md', 'driver  =').text}\n[integration.env]\n{table}\n"
    )
    run(
        "payproof",
        "run",
        "--only",
        "flow.success",
        "--only",
        "idempotency.paid-order",
        "--format",
        "json",
        folder=tmp_path,
    )
    report = json.loads((tmp_path / "payproof-report/report.json").read_text())
    verdicts = {each["requirement"]: each["verdict"] for each in report["requirements"]}
    assert verdicts["flow.success"] == verdicts["idempotency.paid-order"] == "pass"


SHOP = '''
import httpx
from types import SimpleNamespace


class Shop:
    """As small as a shop can be: a token and a payment for each order."""

    def __init__(self, base_url, client_id, secret_key):
        self.base_url, self.keys = base_url, {"client_id": client_id, "secret_id": secret_key}

    def checkout(self, order):
        answer = httpx.post(f"{self.base_url}/authentication/token", json=self.keys).json()
        body = {"amount": "5000.00", "currency": "XAF", "return_url": "https://s.example/r", "custom": order}
        headers = {"Authorization": f"Bearer {answer['data']['access_token']}"}
        made = httpx.post(f"{self.base_url}/payment/create", json={**body, "cancel_url": "https://s.example/c"}, headers=headers)
        return SimpleNamespace(redirects=made.json()["data"]["payment_url"].startswith("http"))


'''
GATEWAY = """
import httpx
from types import SimpleNamespace


class Gateway:
    def __init__(self, base_url, client_id, secret_key):
        self.base_url = base_url
        answer = httpx.post(f"{base_url}/authentication/token", json={"client_id": client_id, "secret_id": secret_key})
        self.headers = {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}

    def create(self, order, amount, currency):
        body = {"amount": amount, "currency": currency, "custom": order}
        answer = httpx.post(f"{self.base_url}/payment/create", json=body, headers=self.headers)
        return SimpleNamespace(id=answer.json()["data"]["token"])

    def status(self, payment):
        answer = httpx.get(f"{self.base_url}/payment/status/{payment}", headers=self.headers)
        return SimpleNamespace(paid=answer.json()["data"]["status"] == "SUCCESS")
"""


def cassette(base: str) -> str:
    """A recording of three calls, in VCR's own format."""
    answers = (
        ("POST", "/authentication/token", {"data": {"access_token": "__access-token-1__"}}),
        ("POST", "/payment/create", {"data": {"token": "p1"}}),
        ("GET", "/payment/status/p1", {"data": {"status": "SUCCESS"}}),
    )
    exchanges: list[dict[str, Any]] = [
        {
            "request": {"method": method, "uri": base + path, "body": "", "headers": {}},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"]},
                "body": {"string": json.dumps(answer)},
            },
        }
        for method, path, answer in answers
    ]
    return json.dumps({"version": 1, "interactions": exchanges})  # JSON is YAML


def test_the_tests_on_the_pages_pass_as_they_stand(tmp_path: Path) -> None:
    """With the fixture of a simulator, and with a recording."""
    guide, recorded = (
        block("docs/simulator.md", "def test_a_customer_pays").text,
        block("docs/cassettes.md", "pytest.mark.vcr").text,
    )
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/gateway.py").write_text(GATEWAY)
    file = tmp_path / "cassettes/quatapay.yaml"
    file.parent.mkdir()
    file.write_text(cassette("https://sandbox.example/pay/sandbox/api/v1"))
    (tmp_path / "test_readme.py").write_text(SHOP + block("README.md", "def test_a_late_checkout").text)
    (tmp_path / "test_guide.py").write_text(guide)
    (tmp_path / "test_recorded.py").write_text(recorded.replace("/path/to/cassettes/quatapay.yaml", str(file)))
    run("pytest", "-q", "test_readme.py", "test_guide.py", folder=tmp_path)
    (words,) = commands(block("docs/cassettes.md", "--block-network").text)
    out = run(*words, "-q", "test_recorded.py", folder=tmp_path, PYTHONPATH=str(tmp_path))
    assert "1 passed" in out


def test_the_simulator_in_plain_python_is_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("docs/simulator.md", "with GatewayThread").text, {})
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")


def test_the_contract_in_plain_python_finds_what_it_should() -> None:
    with GatewayThread("quatapay") as gateway:
        httpx.post(f"{gateway.base_url}/payment/create", json={"amount": "5000.00"})
        (call,) = (entry for entry in gateway.journal() if isinstance(entry, Call))
    found: dict[str, Any] = {"request": call.request, "response": call.response}
    exec(block("docs/contract.md", "contract_of(load").text, found)
    assert [problem.place for problem in found["contract"].request_problems(call.request)]


def test_the_case_of_drift_on_the_page_is_the_catalogues_own() -> None:
    names: dict[str, Any] = {**vars(tokens), **vars(steps)}
    shown = eval(block("docs/drift.md", "DriftCase(").text, names)
    known = next(case for case in catalogue_of(load("quatapay")).cases if case.id == shown.id)
    assert (shown.seconds, shown.requests, len(shown.steps)) == (known.seconds, known.requests, len(known.steps))


def test_pytest_collects_what_the_page_names(tmp_path: Path) -> None:
    words = next(iter(commands(block("docs/pytest.md", "-k token").text)))
    (tmp_path / "payproof.toml").write_text(
        (ROOT / "examples/flask-shop/payproof.toml").read_text().partition("[sandbox]")[0]
    )
    out = run(*words, "--collect-only", "-q", folder=tmp_path)
    assert "token.cached" in out
    assert "verify.amount" not in out
