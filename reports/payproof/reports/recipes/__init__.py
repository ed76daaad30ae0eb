"""Recipes: how a requirement is met in the integration's own language, a few lines to adapt. One file a language.

A recipe is for requirements, or for whole groups of them; the one that names the requirement wins. Where a language has none, none
is shown.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from payproof.contracts.entries import Call, E, Process, header
from payproof.contracts.run import Run

LANGUAGES: Mapping[str, str] = {
    "python": "Python", "node": "Node", "php": "PHP", "java": "Java", "go": "Go", "ruby": "Ruby",
}  # fmt: skip
"""File -> what the language is called."""

_COMMANDS: Mapping[str, str] = {
    "python": r"python[\d.]*|uvicorn|gunicorn|hypercorn|flask|django-admin|uv|poetry|.*\.py",
    "node": r"node|nodejs|npm|npx|pnpm|yarn|bun|deno|tsx|.*\.[cm]?[jt]s",
    "php": r"php[\d.]*|php-fpm|composer|artisan|.*\.php",
    "java": r"java|mvnw?|gradlew?|.*\.jar",
    "go": r"go|.*\.go",
    "ruby": r"ruby[\d.]*|bundle|rails|puma|rackup|.*\.rb",
}
_AGENTS: Mapping[str, str] = {
    "python": r"python|aiohttp",
    "node": r"node|axios|undici|got ",
    "php": r"guzzle|php|symfony",
    "java": r"java|okhttp|apache-httpclient",
    "go": r"go-http-client",
    "ruby": r"ruby|faraday|rest-client|typhoeus",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """``language`` as people call it; ``code`` without a blank line at either end."""

    language: str
    code: str


def language(run: Run) -> str:
    """The file of the integration's language: by the command that started it, else by what its calls say they were sent by;
    empty where neither tells."""
    return next((name for text, known in _signs(run) for name in known if re.match(known[name], text)), "")


def recipe(requirement: str, spoken: str) -> Recipe | None:
    """How the requirement is met in the language of that file."""
    if spoken not in LANGUAGES:
        return None
    known = _recipes(spoken)
    code = known.get(requirement) or known.get(requirement.partition(".")[0])
    return Recipe(LANGUAGES[spoken], code) if code else None


def _signs(run: Run) -> Iterator[tuple[str, Mapping[str, str]]]:
    """(text, what tells a language by it): words of a command, and names of clients."""
    exact = {name: f"(?:{words})$" for name, words in _COMMANDS.items()}
    for word in next((entry.detail for entry in _all(run, Process) if entry.event == "started"), "").split()[:3]:
        yield word.rpartition("/")[2].lower(), exact
    for call in _all(run, Call):
        yield header(call.request.headers, "user-agent").lower(), _AGENTS


def _all(run: Run, kind: type[E]) -> Iterator[E]:
    return (entry for world in (*run.worlds, *run.given_up) for entry in world.entries if isinstance(entry, kind))


@cache
def _recipes(spoken: str) -> Mapping[str, str]:
    """Requirement, or group -> code."""
    text = importlib.resources.files(__name__).joinpath(f"{spoken}.toml").read_text(encoding="utf-8")
    return {name: each["code"].strip() for each in tomllib.loads(text)["recipe"] for name in each["for"]}
