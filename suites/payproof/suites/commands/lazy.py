"""A group of commands that are imported when they are called: all of them at once take most of a second."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from payproof.suites.commands.whole_help import Commands


class LazyGroup(Commands):
    """``places``: name of a command -> ``module:attribute``, in the order in which they are listed."""

    def __init__(self, *args: Any, places: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.places:
            return None
        module, _, attribute = self.places[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def described(self, ctx: click.Context, name: str) -> click.Command:
        return click.Command(name, help=_docstring(self.places[name]))


def _docstring(place: str) -> str:
    """The docstring of ``module:function``, read off its source."""
    module, _, attribute = place.partition(":")
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    tree = ast.parse(Path(spec.origin).read_bytes())
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == attribute)
    return inspect.cleandoc(ast.get_docstring(next(found)) or "")
