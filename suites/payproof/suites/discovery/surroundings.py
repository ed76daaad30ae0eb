"""What a folder of code tells of how it is started, and of the names that it takes from its environment."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from payproof.contracts.profile import Profile
from payproof.contracts.reading.json_text import table_of
from payproof.suites.discovery.names import EnvironmentSettings, settings

_SOURCES = re.compile(
    r"\.(?:py|[mc]?[jt]sx?|php|rb|go|java|kt|scala|groovy|clj|p[lm]|psgi|rs|ya?ml|properties|cs|vb|fs|exs?|erl|swift|dart|lua|cc?|cpp|h)"
)
_PASSED_OVER = re.compile(r"\..*|node_modules|vendor|venv|__pycache__|dist|build|target|tests?")
_FILES, _BYTES = 400, 200_000
_NAME = r"[A-Z][A-Z0-9_]{2,50}"
_JS_ENV = r"(?:process|Bun|import\.meta)\.env"
_READ = re.compile(
    rf"""(?:environ(?:\.get)?|getenv|\benv(?:\.get)?|(?:get|fetch)_env!?|env::var(?:_os)?|fetch|Getenv|LookupEnv|GetEnvironmentVariable|\benvironment|ENV|_ENV)"""
    rf"""\s*[(\[]\s*["']({_NAME})["']|\$ENV\{{\s*["']?({_NAME})\b"""
    rf"""|{_JS_ENV}\.({_NAME})|{_JS_ENV}\[["']({_NAME})["']\]|\$\{{({_NAME})[:}}]"""
)
_SEVERAL = (
    (re.compile(rf"\{{([^{{}}]*)\}}\s*=\s*{_JS_ENV}\b"), re.compile(rf"(?:^|,)\s*({_NAME})\b")),
    (re.compile(r"@ENV\s*\{([^}]*)\}"), re.compile(rf"\b({_NAME})\b")),
)
"""Names that are read together, and what is a name in there: a JavaScript object taken apart, a slice of Perl's environment."""
_BY_VARIABLE = re.compile(
    rf"""(?:environ(?:\.get)?|[gG]etenv|LookupEnv|ENV(?:\.fetch)?|_ENV|env::var(?:_os)?|{_JS_ENV})\s*[(\[]\s*[$&]?[a-z]\w*\s*[,)\]]"""
)
"""A read whose name is handed over: a helper that insists on a setting. Then what it is called with stands in the same file."""
_QUOTED = re.compile(rf"""["']({_NAME})["']""")
_WEB = re.compile(r"^web[ \t]*:[ \t]*(\S.*)$", re.MULTILINE)
"""The line of a Procfile that takes customers."""
_PORT = re.compile(r"\$PORT\b|\$\{PORT(?::?-[^}]*)?\}")
_SHELL_VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}")
_SHELL, _ASSIGNED = re.compile(r"[$&|;<>()`]"), re.compile(r"[A-Za-z_]\w*=")
_HOST = re.compile(r"https://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_KNOW_BETTER = ("Django", "Laravel", "Rails")
"""Frameworks whose own command needs no server that is installed, and no step before."""
_PROGRAMS = (
    ("mjs", "Node", "node"), ("js", "Node", "node"), ("rb", "Ruby", "ruby"), ("exs", "Elixir", "elixir"), ("exe", "Mono", "mono")
)  # fmt: skip
"""How a program of one file is named, what it is written in, and what runs it."""
_OWN_PROGRAMS = (".venv/bin", "venv/bin", "env/bin")
_DECLARED = re.compile(rf"^[ \t]*(?:export[ \t]+)?({_NAME})[ \t]*=[ \t]*([^\n#]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found; empty where nothing was."""

    framework: str = ""
    command: tuple[str, ...] = ()
    settings: EnvironmentSettings = field(default_factory=lambda: EnvironmentSettings({}))
    gateway_hosts: tuple[str, ...] = ()
    """The gateway's hosts that stand in the code, where nothing in its environment tells it another address."""


def look_around(folder: Path, profile: Profile) -> Surroundings:
    """Read a folder: its framework, a command that starts it, and its settings by name."""
    texts = [_text(path) for path in _sources(folder)]
    found = settings(
        dict.fromkeys(name for text in texts for name in _names(text)),
        _examples(folder),
        profile,
        sqlite=any("sqlite" in text for text in texts),
    )
    framework, command = _start(folder)
    if framework not in _KNOW_BETTER:
        command = _procfile(folder) or command
    command = tuple(_of_the_folder(folder, command))
    if framework == "Django" and any("{instance.dir}/" in value for value in found.env.values()):
        # A database of its own, new for each instance, has no tables yet.
        command = ("sh", "-c", f"{command[0]} manage.py migrate --noinput && exec {' '.join(command)}")
    told = any("{gateway.base_url}" in value or "{gateway.url}" in value for value in found.env.values())
    return Surroundings(framework, command, found, () if told else tuple(_hosts(texts, profile)))


def _hosts(texts: Sequence[str], profile: Profile) -> Iterator[str]:
    """Those that stand before the path of the gateway's API, or are known for its real ones."""
    path, known = profile.base_path, {urlsplit(origin.real).hostname or "" for origin in profile.origins}
    found: dict[str, None] = dict.fromkeys(host for text in texts for host in _HOST.findall(text))
    for host in found:
        its = bool(path) and any(f"https://{host}{path}" in text for text in texts)
        if (its or host in known) and not profile.is_live(f"https://{host}{path}", ""):
            yield host


def _names(text: str) -> Iterator[str]:
    """The names that this code reads from its environment, in the order in which they stand in it."""
    at = [(found.start(), next(filter(None, found.groups()))) for found in _READ.finditer(text)]
    if _BY_VARIABLE.search(text):
        quoted = ((found.start(), found[1]) for found in _QUOTED.finditer(text))
        at += [(place, name) for place, name in quoted if "_" in name or name == "PORT"]
    for together, each in _SEVERAL:
        at += [(found.start(1), name) for found in together.finditer(text) for name in each.findall(found[1])]
    return (name for _, name in sorted(at, key=lambda pair: pair[0]))


def _procfile(folder: Path) -> Sequence[str]:
    """What a Procfile starts for the web, at the address and port that it is given; empty where that program is not here."""
    found = _WEB.search(_text(folder / "Procfile"))
    line = _PORT.sub("{port}", found[1].strip().replace("0.0.0.0", "127.0.0.1")) if found else ""
    line = _SHELL_VARIABLE.sub(lambda each: f"${each[1]}" if each[2] is None else each[2], line)
    try:
        words = shlex.split(line)
    except ValueError:
        return ()
    program = next((word for word in words if not _ASSIGNED.match(word)), "")
    own = next((f"{place}/{program}" for place in _OWN_PROGRAMS if (folder / place / program).is_file()), program)
    there = own != program or shutil.which(program) or (folder / program).is_file()
    if not there or Path(program).name.startswith("heroku-"):
        return ()
    if program != words[0] or _SHELL.search(line):
        return ("sh", "-c", line.replace(program, own, 1))
    return (own, *words[1:])


def _examples(folder: Path) -> dict[str, str]:
    """What an example of a .env file declares."""
    texts = (_text(folder / name) for name in (".env.example", ".env.sample", ".env.dist", "env.example"))
    return {name: value.strip().strip("\"'") for text in texts for name, value in _DECLARED.findall(text)}


def _of_the_folder(folder: Path, command: Sequence[str]) -> Sequence[str]:
    """The command, with the program of the folder's own virtual environment where it has one."""
    for place in _OWN_PROGRAMS:
        if command and (folder / place / command[0]).exists():
            return (f"{place}/{command[0]}", *command[1:])
    return command


def _sources(folder: Path) -> Iterator[Path]:
    """Source files below the folder, nearest first, and not too many."""
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _PASSED_OVER.fullmatch(name))
        for name in sorted(files):
            if _SOURCES.fullmatch(Path(name).suffix):
                count += 1
                if count > _FILES:
                    return
                yield Path(place, name)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _start(folder: Path) -> tuple[str, Sequence[str]]:
    """The framework's name, and the usual command."""
    if (folder / "manage.py").is_file():
        return "Django", ("python", "manage.py", "runserver", "--noreload", "127.0.0.1:{port}")
    if (folder / "artisan").is_file():
        return "Laravel", ("php", "artisan", "serve", "--host=127.0.0.1", "--port={port}")
    if (folder / "bin/rails").is_file():
        return "Rails", ("bin/rails", "server", "-b", "127.0.0.1", "-p", "{port}")
    if (folder / "package.json").is_file():
        return _node(folder)
    if (folder / "go.mod").is_file():
        return "Go", ("go", "run", ".")
    if (folder / "pom.xml").is_file():
        return "Spring" if "spring-boot" in _text(folder / "pom.xml") else "Java", ("mvn", "-q", "spring-boot:run")
    if (folder / "config.ru").is_file():
        bundled = ("bundle", "exec") if (folder / "Gemfile").is_file() else ()
        return "Rack", (*bundled, "rackup", "-o", "127.0.0.1", "-p", "{port}")
    for public in ("public/index.php", "index.php"):
        if (folder / public).is_file():
            return "PHP", ("php", "-S", "127.0.0.1:{port}", "-t", str(Path(public).parent))
    if any(folder.glob("*.csproj")):
        return ".NET", ("dotnet", "run")
    if (folder / "mix.exs").is_file():
        phoenix = ":phoenix" in _text(folder / "mix.exs")
        return ("Phoenix", ("mix", "phx.server")) if phoenix else ("Elixir", ("mix", "run", "--no-halt"))
    if (folder / "Cargo.toml").is_file():
        return "Rust", ("cargo", "run")
    return _python(folder)


def _node(folder: Path) -> tuple[str, Sequence[str]]:
    table = table_of(_text(folder / "package.json")) or {}
    needs = json.dumps(table.get("dependencies", {}))
    framework = next((name for name in ("express", "fastify", "koa", "hapi", "next") if f'"{name}"' in needs), "Node")
    start = str(cast("dict[str, Any]", table.get("scripts") or {}).get("start", ""))
    main = str(table.get("main") or "index.js")
    if re.fullmatch(r"node [\w./-]+", start):
        return framework, tuple(start.split())
    return framework, ("npm", "start") if start else ("node", main)


def _python(folder: Path) -> tuple[str, Sequence[str]]:
    for name in ("app.py", "main.py", "server.py", "wsgi.py", "shop.py"):
        text = _text(folder / name)
        if not text:
            continue
        if asgi := re.search(r"^(\w+)\s*=\s*(?:FastAPI|Starlette)\(", text, re.MULTILINE):
            return "FastAPI", ("uvicorn", f"{Path(name).stem}:{asgi[1]}", "--host", "127.0.0.1", "--port", "{port}")
        flask = "Flask(" in text
        if flask and ".run(" not in text:
            return "Flask", ("flask", "--app", Path(name).stem, "run", "--port", "{port}")
        return "Flask" if flask else "Python", ("python", name)
    return _plain(folder)


def _plain(folder: Path) -> tuple[str, Sequence[str]]:
    """A program that lies in the folder under a usual name, and needs no build."""
    for perl in sorted(folder.glob("*.pl")):
        if "Mojolicious::Lite" in _text(perl):
            return "Mojolicious", ("perl", perl.name, "daemon", "-l", "http://127.0.0.1:{port}")
    for ends, language, program in _PROGRAMS:
        for name in ("server", "app", "main", "index", "shop"):
            if (folder / f"{name}.{ends}").is_file():
                return language, (program, f"{name}.{ends}")
    return "", ()
