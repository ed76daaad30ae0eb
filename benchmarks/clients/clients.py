"""The clients that are measured, and how each is put beside this script, in the folder ``.installed`` that git ignores."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS, INSTALLED = HERE / "programs", HERE / ".installed"
INSTALLS_WITHIN = 300.0
PYTHON_LIBRARIES = ("requests", "urllib3", "httpx", "aiohttp")
NODE_LIBRARIES = ("axios", "got@14", "node-fetch")  # later releases of got need Node 22
JARS = ("com/squareup/okhttp3/okhttp", "com/squareup/okio/okio-jvm", "org/jetbrains/kotlin/kotlin-stdlib")


class Skipped(Exception):
    """This client cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class Client:
    """``source``: its program, below ``programs``. ``command``: what starts it, once everything that it needs is there."""

    name: str
    language: str
    source: str
    command: Callable[[Path], list[str]]

    @property
    def path(self) -> Path:
        return PROGRAMS / self.source

    def prepare(self) -> list[str]:
        """The command that starts its program.

        Raises:
            Skipped: its runtime or its library is not there and cannot be installed.
        """
        return self.command(self.path)


def this_python(program: Path) -> list[str]:
    return [sys.executable, str(program)]


def python(program: Path) -> list[str]:
    return [str(python_with_libraries()), str(program)]


@cache
def python_with_libraries() -> Path:
    place = INSTALLED / "python"
    if not (place / "complete").exists():
        venv.create(place, with_pip=True)
        install([place / "bin" / "pip", "install", "--quiet", *PYTHON_LIBRARIES])
        (place / "complete").touch()
    return place / "bin" / "python"


def node(program: Path) -> list[str]:
    return [runtime("node"), str(node_with_libraries() / program.name)]


@cache
def node_with_libraries() -> Path:
    """A folder with the programs beside their libraries, where imports look for them."""
    place = INSTALLED / "node"
    if not (place / "node_modules").exists():
        place.mkdir(parents=True, exist_ok=True)
        install(
            [
                runtime("npm"),
                "install",
                "--prefix",
                place,
                "--no-package-lock",
                "--no-audit",
                "--silent",
                *NODE_LIBRARIES,
            ]
        )
    shutil.copytree(PROGRAMS / "node", place, dirs_exist_ok=True)
    return place


def php(program: Path) -> list[str]:
    return [runtime("php"), str(program)]


def php_with_guzzle(program: Path) -> list[str]:
    if not succeeds([*php(program), "--version"]):
        place = INSTALLED / "php"
        place.mkdir(parents=True, exist_ok=True)
        install(
            [
                runtime("composer"),
                "require",
                "--quiet",
                "--no-interaction",
                f"--working-dir={place}",
                "guzzlehttp/guzzle",
            ]
        )
    return php(program)


def go(program: Path) -> list[str]:
    built = INSTALLED / "go" / "client"
    if newer(program, built):
        built.parent.mkdir(parents=True, exist_ok=True)
        install([runtime("go"), "build", "-o", built, program])
    return [str(built)]


def java(program: Path, *jars: Path) -> list[str]:
    classes = INSTALLED / "java" / program.stem
    built = classes / f"{program.stem}.class"
    path = os.pathsep.join(map(str, (classes, *jars)))
    if newer(program, built) or newer(program.with_name("Told.java"), built):
        install([runtime("javac"), "-d", classes, "-cp", path, program.with_name("Told.java"), program])
    return [runtime("java"), "-XX:TieredStopAtLevel=1", "-cp", path, program.stem]


def java_with_okhttp(program: Path) -> list[str]:
    return java(program, *map(jar, JARS))


@cache
def jar(module: str) -> Path:
    """The newest jar of a module in the local repository of Maven."""
    group, _, name = module.rpartition("/")
    local = Path.home() / ".m2" / "repository" / module
    found = sorted(
        local.glob(f"*/{name}-[0-9]*[0-9].jar"), key=lambda path: [p.zfill(5) for p in path.parent.name.split(".")]
    )
    if not found:
        raise Skipped(
            f"there is no {name} in {local.parent}: mvn dependency:get -Dartifact={group.replace('/', '.')}:{name}:VERSION"
        )
    return found[-1]


def ruby(program: Path) -> list[str]:
    return [runtime("ruby"), str(program)]


def ruby_with_faraday(program: Path) -> list[str]:
    if not succeeds([*ruby(program), "--version"]):
        install(
            [runtime("gem"), "install", "--silent", "--no-document", "--install-dir", INSTALLED / "ruby", "faraday"]
        )
    return ruby(program)


def shell(program: Path) -> list[str]:
    runtime("curl")
    return [runtime("sh"), str(program)]


CLIENTS = (
    Client("urllib.request", "Python", "python/urllib_request.py", this_python),
    Client("requests", "Python", "python/requests_session.py", python),
    Client("urllib3", "Python", "python/urllib3_pool.py", python),
    Client("httpx", "Python", "python/httpx_client.py", python),
    Client("httpx (async)", "Python", "python/httpx_async.py", python),
    Client("aiohttp", "Python", "python/aiohttp_session.py", python),
    Client("fetch", "Node", "node/fetch.mjs", node),
    Client("node:http", "Node", "node/http.mjs", node),
    Client("axios", "Node", "node/axios.mjs", node),
    Client("got", "Node", "node/got.mjs", node),
    Client("node-fetch", "Node", "node/node_fetch.mjs", node),
    Client("curl extension", "PHP", "php/curl.php", php),
    Client("file_get_contents", "PHP", "php/streams.php", php),
    Client("Guzzle", "PHP", "php/guzzle.php", php_with_guzzle),
    Client("net/http", "Go", "go/client.go", go),
    Client("HttpClient", "Java", "java/JdkHttpClient.java", java),
    Client("HttpURLConnection", "Java", "java/UrlConnection.java", java),
    Client("OkHttp", "Java", "java/OkHttp.java", java_with_okhttp),
    Client("Net::HTTP", "Ruby", "ruby/net_http.rb", ruby),
    Client("Faraday", "Ruby", "ruby/faraday.rb", ruby_with_faraday),
    Client("curl", "command line", "shell/curl.sh", shell),
)


def environment() -> dict[str, str]:
    """What a client's process gets beside the authority: nothing that would send it by way of a proxy."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"CLIENTS_INSTALLED": str(INSTALLED)}


def version(command: list[str]) -> str:
    """What the program says that it is."""
    done = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it does not start"]
        raise Skipped(next((line for line in lines if "rror" in line), lines[-1]).strip())
    return done.stdout.strip()


def runtime(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Skipped(f"{name} is not there")
    return found


def install(command: list[str | Path]) -> None:
    words = [str(word) for word in command]
    try:
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=INSTALLS_WITHIN)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise Skipped(f"{Path(words[0]).name}: {lines[0] if lines else error}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise Skipped(f"{Path(words[0]).name}: {error}") from None


def succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, env=environment(), check=False).returncode == 0


def newer(source: Path, built: Path) -> bool:
    return not built.exists() or source.stat().st_mtime > built.stat().st_mtime


if __name__ == "__main__":
    for client in CLIENTS:
        try:
            print(f"{client.name}: {version(client.prepare())}")
        except Skipped as why:
            print(f"{client.name}: skipped: {why}", file=sys.stderr)
