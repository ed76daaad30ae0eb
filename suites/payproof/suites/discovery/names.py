"""Which of an integration's settings take what payproof has to tell, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from payproof.contracts.profile import Profile
from payproof.suites.config import placeholders

_ADDRESS = frozenset({"URL", "URI", "ENDPOINT", "HOST", "BASE", "API"})
_OURS = frozenset({"PUBLIC", "APP", "SITE", "SHOP", "BASE", "SELF", "EXTERNAL", "MY"})
_FOREIGN = re.compile(
    r"(?:DJANGO|FLASK|RAILS|LARAVEL|NEXT|AUTH|NEXTAUTH|SESSION|COOKIE|JWT|CSRF|SENTRY|AWS|S3|SMTP|MAIL|DB|DATABASE|REDIS|"
    r"POSTGRES|MYSQL|MONGO|AMQP|RABBITMQ|CELERY|LOG|NODE|PHP|PYTHON|JAVA|GIT|CI|GITHUB|GOOGLE|FACEBOOK|TWILIO|STRIPE)_.*"
    r"|SECRET_KEY_BASE|APP_KEY"
)
"""Settings of frameworks and other services."""
_NOTICES = frozenset({"WEBHOOK", "WEBHOOKS", "HOOK", "HOOKS", "NOTICE", "NOTICES", "CALLBACK", "IPN", "SIGNING"})
_FILE = re.compile(r"[\w./-]+\.(?:sqlite3?|db|json)")
_DATABASE = re.compile(r"(?:.*_)?(?:DB|DATABASE|SQLITE|(?:DB|DATABASE|SQLITE)_(?:PATH|FILE))")
_LISTENS = re.compile(r"(?:\w+_)?(?:LISTEN|BIND)(?:_ADDR(?:ESS)?)?|(?:(?:HTTP|SERVER|WEB|APP)_)?ADDR")
"""Host and port in one."""
_DEVELOPMENT = re.compile(r"(?:.*_)?(?:DEBUG|ENV|RELOAD)")
"""What makes a program behave as it never would for a customer."""
_GIVEN = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "BUNDLE_GEMFILE"}
)
"""What an instance is handed anyway, or what a framework's own start sets itself."""
_FOLDER = re.compile(r"(?:\w+_)?(?:DATA|STORAGE)(?:_(?:DIR|PATH|FOLDER))?|(?:\w+_)?(?:STATE|VAR)_(?:DIR|PATH|FOLDER)")
_SHOWN = 8
_BASE = "{gateway.base_url}"
_CLIENT = "{gateway.client_id}"


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """``env``: name in the integration's environment -> its value, with placeholders; ``open``: names that it reads, too."""

    env: Mapping[str, str]
    open: tuple[str, ...] = ()


def settings(
    names: Iterable[str], examples: Mapping[str, str], profile: Profile, *, sqlite: bool
) -> EnvironmentSettings:
    """What the names that the code reads should be given. ``examples``: those of a .env.example, with their values; ``sqlite``:
    whether its database is a file, of which each instance has its own."""
    read = tuple(dict.fromkeys((*examples, *names)))
    env = matched(read, profile)
    if told := next((name for name, value in examples.items() if _is_gateways(value, profile)), ""):
        env = {name: value for name, value in env.items() if value != _BASE} | {told: _BASE}
    for name in read:
        value = examples.get(name, "")
        if name in env or _DEVELOPMENT.fullmatch(name):
            continue
        if _FILE.fullmatch(value):
            env[name] = f"{{instance.dir}}/{PurePosixPath(value).name}"
        elif value and "{" not in value and not _is_address(name):
            env[name] = value
        elif sqlite and _DATABASE.fullmatch(name):
            env[name] = "{instance.dir}/shop.db"
    return EnvironmentSettings(env, tuple(name for name in read if name not in env and name not in _GIVEN)[:_SHOWN])


def _is_gateways(value: str, profile: Profile) -> bool:
    """Whether an example is the address of the gateway's API: it ends as that does, in the sandbox or outside of it."""
    path, ours = urlsplit(value).path.rstrip("/"), profile.base_path
    return value.startswith("http") and bool(ours) and path.endswith((ours, ours.replace("/sandbox", "", 1)))


def matched(names: Iterable[str], profile: Profile) -> dict[str, str]:
    """Which of these names take what payproof has to tell: the plainest name for each thing."""
    names = tuple(names)
    family = _family(names, profile)
    found: dict[str, str] = {}
    if any(_meaning(name, profile) == "{port}" for name in names):
        names = tuple(name for name in names if not _LISTENS.fullmatch(name))
    for _, _, each, value in sorted(
        (rank, number, name, value)
        for number, name in enumerate(names)
        for rank, value in _meanings(name, family, profile)
    ):
        if each not in found and value not in found.values():
            found[each] = value
    for name, value in list(found.items()):
        # A pair of KEY and SECRET: the first is no secret.
        pair = re.sub(r"_SECRET(?:_KEY)?$", "_KEY", name)
        if value == "{gateway.secret_key}" and pair in names and pair not in found and _CLIENT not in found.values():
            found |= {pair: _CLIENT} if _CLIENT.strip("{}") in _asked(profile) else {}
    return {name: found[name] for name in names if name in found}


def _meanings(name: str, family: str, profile: Profile) -> Iterable[tuple[int, str]]:
    """What a name may stand for, each with a rank: 0 is the plainest."""
    foreign = _is_foreign(name, profile)
    plain, last = _meaning(name, profile), _last(name, profile)
    kin = bool(family) and name.startswith(f"{family}_")
    if kin and family not in _OURS and last == "{gateway.base_url}" and not _OURS & set(name.split("_")) - {"BASE"}:
        plain = last
    if plain and not (foreign and plain.startswith("{gateway.")):
        yield (0 if kin else 2 if name == "SECRET_KEY" else 1), plain
    elif kin and last and not _signs_notices(name):
        yield 2, last
    elif _is_address(name) and not foreign and not kin:
        yield 3, "{public_url}"


def _is_foreign(name: str, profile: Profile) -> bool:
    return bool(_FOREIGN.fullmatch(name)) and name.partition("_")[0].lower() not in profile.name.split("-")


def _signs_notices(name: str) -> bool:
    words = set(name.split("_"))
    return bool(words & _NOTICES and words & {"SECRET", "KEY"})


def _is_address(name: str) -> bool:
    return name.rpartition("_")[2] in ("URL", "ORIGIN", "BASE", "DOMAIN") and "_" in name


def _family(names: Iterable[str], profile: Profile) -> str:
    """The first word that the gateway's settings have in common; empty when there is none."""
    kinds: dict[str, set[str]] = {}
    for name in names:
        if "_" in name and not _is_foreign(name, profile) and (last := _last(name, profile)):
            kinds.setdefault(name.partition("_")[0], set()).add(last)
    likeliest = max(kinds, key=lambda word: (word == profile.name.upper(), len(kinds[word])), default="")
    return likeliest if likeliest and len(kinds[likeliest]) > 1 else ""


def _asked(profile: Profile) -> list[str]:
    """The credentials that an integration of this gateway is told, as placeholders."""
    return [each for _, text in profile.settings for each in placeholders.names(text) if each != "gateway.base_url"]


def _words(placeholder: str) -> list[str]:
    return placeholder.removeprefix("gateway.").upper().split("_")


def _last(name: str, profile: Profile) -> str:
    """What the last word of a name says, where it is one of the gateway's settings."""
    last = name.rpartition("_")[2]
    for placeholder in _asked(profile):
        if last in _words(placeholder):
            return f"{{{placeholder}}}"
    return "{gateway.base_url}" if last in _ADDRESS else ""


def _meaning(name: str, profile: Profile) -> str:
    """The placeholder that a setting of this name plainly wants; empty where that is not plain."""
    words = set(name.split("_"))
    asked = {placeholder: _words(placeholder) for placeholder in _asked(profile)}
    whole = next((each for each, parts in asked.items() if set(parts) <= words), "")
    if _signs_notices(name) and not whole:
        secrets = (each.placeholder for each in profile.credentials if each.kind == "webhook-secret")
        return next((f"{{gateway.{each}}}" for each in secrets), "")
    # Only a name that is nobody's in full may be somebody's in part: WEBHOOK_SECRET is not the SECRET_KEY.
    part = (
        each
        for each, parts in asked.items()
        if (parts[0] == "CLIENT" and name.endswith("_CLIENT")) or (parts[0] == "SECRET" and "SECRET" in words)
    )
    if placeholder := whole or next(part, ""):
        return f"{{{placeholder}}}"
    if name == "PORT" or name.endswith("_PORT"):
        return "{port}"
    if _LISTENS.fullmatch(name):
        return "127.0.0.1:{port}"
    if words & _ADDRESS and words & {"PAY", "PAYMENT", "PAYMENTS", "GATEWAY", "API", profile.name.upper()}:
        return "{gateway.base_url}"
    if words & {"URL", "ORIGIN"} and words & _OURS:
        return "{public_url}"
    if _FOLDER.fullmatch(name):
        return "{instance.dir}"
    return ""
