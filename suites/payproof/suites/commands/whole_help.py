"""Help that uses the terminal's whole width and says each sentence to its end."""

from __future__ import annotations

import click

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 160}
_UNCUT = 10_000


class Commands(click.Group):
    """A group whose list of commands holds the whole first sentence of each."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.described(ctx, name).get_short_help_str(_UNCUT)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def described(self, ctx: click.Context, name: str) -> click.Command:
        """The command of this name, as far as the list needs it."""
        return self.commands[name]
