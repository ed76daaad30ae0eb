"""The static items: a well-kept secret scanner over the declared source, and the names of the run's own settings.

What is found is noted by file, line and kind; the value itself never leaves the scanner.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from payproof.contracts.entries import SourceSeen
from payproof.contracts.files import regular_within
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Profile
from payproof.suites.config import Config
from payproof.suites.run.revision import QUIET

_SKIPPED = {
    "node_modules",
    "vendor",
    ".git",
    ".venv",
    "venv",
    "__pycache__",
    ".tox",
    "dist",
    "build",
    "target",
    "test",
    "tests",
    "spec",
    "__tests__",
    "payproof-report",
}
_TEXT = {
    ".py",
    ".js",
    ".mjs",
    ".cjs",
    ".ts",
    ".tsx",
    ".jsx",
    ".php",
    ".rb",
    ".go",
    ".java",
    ".kt",
    ".cs",
    ".rs",
    ".ex",
    ".exs",
    ".eex",
    ".heex",
    ".erl",
    ".pl",
    ".pm",
    ".psgi",
    ".ep",
    ".erb",
    ".twig",
    ".scala",
    ".clj",
    ".groovy",
    ".swift",
    ".dart",
    ".lua",
    ".vb",
    ".fs",
    ".cshtml",
    ".razor",
    ".c",
    ".cc",
    ".cpp",
    ".h",
    ".html",
    ".vue",
    ".svelte",
    ".sh",
    ".yml",
    ".yaml",
    ".toml",
    ".json",
    ".ini",
    ".cfg",
    ".conf",
    ".properties",
    ".xml",
    ".env",
    ".config",
    ".txt",
    "",
}
_DEEPEST = 60
"""Folders within one another that are looked into."""
_LOCKS = re.compile(r"(^|[-.])(lock|sum)(\.|$)|package-lock\.json|\.min\.js$|composer\.lock")
_PLUGINS = [
    {"name": name}
    for name in (
        "AWSKeyDetector",
        "AzureStorageKeyDetector",
        "BasicAuthDetector",
        "GitHubTokenDetector",
        "PrivateKeyDetector",
        "SlackDetector",
        "SquareOAuthDetector",
        "StripeDetector",
        "TwilioKeyDetector",
    )
]
_MARKED = re.compile(
    r"(?i:aws|accountkey=|private key|putty|xox|hooks\.slack|sq0csp|k_live_|gh[oprsu]_)|://[^:/\s]+:[^:/\s]+@"
    r"|(?:A3T|ABIA|ACCA|AKIA|ASIA|AC|SK)[A-Za-z0-9]{16}"
)
"""What every credential that the plugins know holds: a text without it need not be read by them, line by line."""
# A credential's name, an assignment, and a literal that looks like a credential and not like a place for one.
_NAMES = r"(?:client|secret|access|api|auth|private|primary)[_-]?(?:id|key|secret|token)|password|passwd"
_ASSIGNED = re.compile(rf"""(?i)(?:{_NAMES})\w{{0,60}}['"\]]*\s*(?:=>|:=|=|:|,)\s*['"]([^'"\s]{{16,}})['"]""")
_PLACEHOLDER = re.compile(
    r"(?i)\$\{|\{\{|\{\w|<|%\w|process\.env|getenv|environ|example|your|change|placeholder|dummy|xxx|\*\*\*|test|sample|todo|/|\.\w+\("
)


def scan(config: Config, journal: Journal) -> None:
    """Scan what the configuration declares; journals each find, and an end mark with the number of files."""
    source, patterns = config.integration.source, literals([config.profile], config)
    areas: tuple[tuple[Literal["source", "frontend"], tuple[str, ...]], ...] = (
        ("source", source.paths),
        ("frontend", source.frontend),
    )
    for area, paths in areas:
        if not paths:
            continue
        finds, files = look(config.folder, paths, patterns)
        for found in [*finds, *(tracked_env(config.folder) if area == "source" else ())]:
            journal.add(SourceSeen(area=area, path=found.path, line=found.line, what=found.what))
        journal.add(SourceSeen(area=area, files=files))


@dataclass(frozen=True, slots=True)
class Find:
    """A place in the source, relative to the folder; ``line`` from 1. The value is not in it."""

    path: str
    line: int
    what: str


def look(folder: Path, paths: Iterable[str], patterns: Sequence[re.Pattern[str]]) -> tuple[list[Find], int]:
    """Literal credentials below ``paths`` of ``folder``, in order, and how many files were read. ``patterns``: see ``literals``."""
    files = sorted(set(_files(folder, paths)))
    finds = [Find(_shown(file, folder), line, what) for file in files for line, what in _finds(file, patterns)]
    return finds, len(files)


def _shown(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)


def _files(folder: Path, paths: Iterable[str]) -> Iterator[Path]:
    for text in paths:
        start = (folder / text).resolve()
        for file in [start] if start.is_file() else _below(start):
            if _LOCKS.search(file.name) or ".env." in file.name or file.name == "payproof.toml":
                continue
            if (
                regular_within(file, folder)
                and file.suffix.lower() in _TEXT
                and file.stat().st_size < 1_000_000
                and file.name != ".env"
            ):
                yield file


def _below(start: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(start):
        deep = len(Path(place).parts) - len(start.parts) >= _DEEPEST
        folders[:] = [] if deep else [name for name in folders if name not in _SKIPPED]
        yield from (Path(place, name) for name in files if name not in _SKIPPED)


def literals(profiles: Iterable[Profile], config: Config | None) -> tuple[re.Pattern[str], ...]:
    """What a literal credential of these gateways looks like, its value in the first group."""
    marks = [
        mark for each in profiles for credential in each.credentials if credential.secret for mark in credential.begins
    ]
    names = _setting_names(config) if config else None
    marked = re.compile(rf"\b(?:{'|'.join(map(re.escape, marks))})([A-Za-z0-9]{{16,}})") if marks else None
    return tuple(each for each in (names, marked, _ASSIGNED) if each is not None)


def _setting_names(config: Config) -> re.Pattern[str] | None:
    """Names by which this integration takes its credentials; a literal beside one of them is a literal credential."""
    placeholders = [each.placeholder for each in config.profile.credentials if each.kind != "publishable"]
    names = [name for name, text in config.integration.env.items() if any(each in text for each in placeholders)]
    if not names:
        return None
    joined = "|".join(re.escape(name) for name in names)
    return re.compile(rf"""(?i)(?:{joined})['"\]]*\s*(?:=>|:=|=|:|,|\?\?|\|\|)\s*['"]([^'"\s]{{12,}})['"]""")


def _finds(file: Path, patterns: Sequence[re.Pattern[str]]) -> Iterator[tuple[int, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    seen: set[int] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern in patterns:
            found = pattern.search(line)
            if found and not _PLACEHOLDER.search(found[1]) and _mixed(found[1]) and number not in seen:
                seen.add(number)
                yield number, "a literal credential"
    if not _MARKED.search(text):
        return
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import transient_settings

    with transient_settings({"plugins_used": _PLUGINS}):
        for secret in scan_file(str(file)):
            if secret.line_number not in seen:
                seen.add(secret.line_number)
                yield secret.line_number, secret.type


def _mixed(value: str) -> bool:
    """Random enough to be a credential: digits beside letters, or long without a word break."""
    return bool(re.search(r"\d", value) and re.search(r"[A-Za-z]", value)) or (
        len(value) >= 32 and not re.search(r"[-_ ]", value)
    )


def tracked_env(folder: Path) -> list[Find]:
    """.env files of ``folder`` that git has; none where there is no git."""
    try:
        listed = subprocess.run(
            ["git", *QUIET, "ls-files", "--", ".env", "*/.env"],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [Find(line, 1, "a .env file is tracked by git") for line in listed.stdout.splitlines() if line]
