"""What a folder of code tells of how it is started, and of the names that it takes from its environment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from payproof.contracts.profile import Profile
from payproof.suites.config import placeholders

_SOURCES = re.compile(r"\.(?:py|[mc]?js|ts|php|rb|go|java|kt|ya?ml|properties|cs|exs?)")
_PASSED_OVER = re.compile(r"\..*|node_modules|vendor|venv|__pycache__|dist|build|target|tests?")
_FILES, _BYTES = 400, 200_000
_NAME = r"[A-Z][A-Z0-9_]{2,50}"
_READ = re.compile(
    rf"""(?:environ(?:\.get)?|getenv|\benv(?:\.get)?|fetch|Getenv|LookupEnv|ENV|_ENV)\s*[(\[]\s*["']({_NAME})["']"""
    rf"""|process\.env\.({_NAME})|process\.env\[["']({_NAME})["']\]|\$\{{({_NAME})[:}}]"""
)
_DECLARED = re.compile(rf"^\s*(?:export\s+)?({_NAME})\s*=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found; empty where nothing was."""

    framework: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name in its environment -> placeholder."""


def look_around(folder: Path, profile: Profile) -> Surroundings:
    """Read a folder: its framework, a command that starts it, and its settings by name."""
    framework, command = _start(folder)
    return Surroundings(framework, tuple(command), matched(names_read(folder), profile))


def names_read(folder: Path) -> tuple[str, ...]:
    """The names that the code takes from its environment, and those that an example of a .env file declares."""
    found: dict[str, None] = {}
    for name in (".env.example", ".env.sample", ".env.dist", "env.example"):
        found.update(dict.fromkeys(_DECLARED.findall(_text(folder / name))))
    for path in _sources(folder):
        found.update(dict.fromkeys(next(filter(None, groups)) for groups in _READ.findall(_text(path))))
    return tuple(found)


def matched(names: Iterable[str], profile: Profile) -> dict[str, str]:
    """Which of these names take what payproof has to tell."""
    found: dict[str, str] = {}
    for name in names:
        if (value := _meaning(name, profile)) and value not in found.values():
            found[name] = value
    return found


def _meaning(name: str, profile: Profile) -> str:
    """The placeholder that a setting of this name wants; empty where that is not plain."""
    words = set(name.split("_"))
    asked = [each for _, text in profile.settings for each in placeholders.names(text) if each != "gateway.base_url"]
    called = {each: each.removeprefix("gateway.").upper().split("_") for each in asked}
    whole = next((each for each, parts in called.items() if set(parts) <= words), "")
    # Only a name that is nobody's in full may be somebody's in part: WEBHOOK_SECRET is not the SECRET_KEY.
    part = next((each for each, parts in called.items() if _in_part(name, words, parts)), "")
    if placeholder := whole or part:
        return f"{{{placeholder}}}"
    if name == "PORT" or name.endswith("_PORT"):
        return "{port}"
    if words & {"URL", "URI", "ENDPOINT", "HOST", "BASE"} and words & {
        "PAY",
        "PAYMENT",
        "PAYMENTS",
        "GATEWAY",
        "API",
        profile.name.upper(),
    }:
        return "{gateway.base_url}"
    if words & {"URL", "ORIGIN"} and words & {"PUBLIC", "APP", "SITE", "SHOP", "BASE", "SELF", "EXTERNAL", "MY"}:
        return "{public_url}"
    if name in ("DATA_DIR", "DATA_PATH", "STATE_DIR", "STORAGE", "STORAGE_DIR", "STORAGE_PATH", "VAR_DIR"):
        return "{instance.dir}"
    return ""


def _in_part(name: str, words: set[str], parts: Sequence[str]) -> bool:
    client = parts[0] == "CLIENT" and name.endswith("_CLIENT")
    return client or (parts[0] == "SECRET" and "SECRET" in words)


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
        return "Rack", ("bundle", "exec", "rackup", "-o", "127.0.0.1", "-p", "{port}")
    for public in ("public/index.php", "index.php"):
        if (folder / public).is_file():
            return "PHP", ("php", "-S", "127.0.0.1:{port}", "-t", str(Path(public).parent))
    return _python(folder)


def _node(folder: Path) -> tuple[str, Sequence[str]]:
    try:
        package: Any = json.loads(_text(folder / "package.json"))
        table = cast("dict[str, Any]", package) if isinstance(package, dict) else {}
    except ValueError:
        table = {}
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
    return "", ()
