"""From files, environment and command line to one ``Config``; every problem of a file in one message.

Precedence: command line > ``PAYPROOF_*`` > file > default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from payproof.contracts.model import PayproofError
from payproof.suites.config import environment
from payproof.suites.config.baseline_file import placed, with_file
from payproof.suites.config.models import Config
from payproof.suites.config.problems import ConfigProblem, ConfigSource, from_validation, report
from payproof.suites.config.rules import problems_of
from payproof.suites.config.toml_file import parse, read

FILE, PROJECT = "payproof.toml", "pyproject.toml"


def load_config(
    path: Path | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    drafts: bool = False,
) -> Config:
    """Read a configuration, and the baseline beside it. Without a path: payproof.toml, or [tool.payproof] of pyproject.toml, in the
    current folder.

    Args:
        overrides: what the command line says, nested like the file.
        environ: instead of ``os.environ``.
        drafts: the baseline is about to be written anew: entries that nobody completed yet are no error, and accept nothing.

    Raises:
        PayproofError: no file, not TOML, or anything in it that cannot be used.
    """
    file = _find(path)
    text = read(file)
    data = parse(text, file)
    under: tuple[str, ...] = ()
    if file.name == PROJECT:
        under = ("tool", "payproof")
        data = _table(data, file)
    config = make_config(
        data,
        folder=file.resolve().parent,
        place=file.name,
        text=text,
        under=under,
        overrides=overrides,
        environ=environ,
    )
    return with_baseline(config, drafts=drafts)


def make_config(
    data: Mapping[str, Any],
    *,
    folder: Path,
    place: str,
    text: str = "",
    under: tuple[str, ...] = (),
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """A configuration from a table. ``place`` and ``text`` (the file's own) serve the messages."""
    env = os.environ if environ is None else environ
    given = environment.tables(env)
    elsewhere = (("from the command line", overrides or {}), ("from PAYPROOF_*", given))
    origin = ConfigSource(place, text, under, elsewhere)
    merged = merge(merge(data, given), overrides or {})
    if "folder" in merged:
        problem = ConfigProblem(("folder",), "unknown key", "paths are relative to the file's own folder")
        raise report([problem], origin)
    # What stands in the file is looked at first: a value of the environment cannot make a wrong text right.
    _validated(merged, folder, origin)
    expanded, hidden = environment.expand_sandbox(merged, env)
    try:
        config = _validated(expanded, folder, origin)
        if problems := problems_of(config):
            raise report(problems, origin)
    except PayproofError as error:
        raise environment.masked(error, hidden) from None
    return config.model_copy(update={"baseline": placed(config.baseline, place, text, under)})


def with_baseline(config: Config, *, drafts: bool = False) -> Config:
    """The configuration with what payproof-baseline.toml accepts. ``drafts``: see ``load_config``.

    Raises:
        PayproofError: the file cannot be used.
    """
    known = config.profile.checklist.all_requirements()
    return config.model_copy(update={"baseline": with_file(config.baseline, config.folder, known, drafts=drafts)})


def _validated(tables: Mapping[str, Any], folder: Path, origin: ConfigSource) -> Config:
    try:
        return Config.model_validate({**tables, "folder": folder})
    except ValidationError as error:
        raise report(from_validation(error, tables), origin) from None


def merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merged key by key; where both have a value, ``high`` wins."""
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(cast(Mapping[str, Any], below), cast(Mapping[str, Any], value))
        else:
            merged[key] = value
    return merged


def _find(path: Path | None) -> Path:
    folder = Path() if path is None else path
    if path is not None and not path.is_dir():
        return path
    if file := config_in(folder):
        return file
    raise PayproofError(
        f"no {FILE} here, and no [tool.payproof] in a {PROJECT}",
        place=str(folder.resolve()),
        remedy="write one with `payproof init`, name it with --config PATH, or go without: "
        "payproof run --env PAY_BASE_URL={gateway.base_url} ... --checkout 'POST /checkout' "
        "--order '/orders/{order.id} json:/status=paid' -- COMMAND",
    )


def config_in(folder: Path) -> Path | None:
    """The file of a folder that holds a configuration, read or not."""
    for file in (folder / FILE, folder / PROJECT):
        if file.is_file() and (file.name == FILE or "payproof" in parse(read(file), file).get("tool", {})):
            return file
    return None


def _table(data: Mapping[str, Any], file: Path) -> dict[str, Any]:
    table = data.get("tool", {}).get("payproof")
    if not isinstance(table, dict):
        raise PayproofError("no table [tool.payproof] in it", place=str(file), remedy="write one with `payproof init`")
    return cast(dict[str, Any], table)
