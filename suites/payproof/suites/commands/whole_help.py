"""Help that uses the terminal's whole width and says each sentence to its end."""

from __future__ import annotations

import click

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 160}
UNCUT = 10_000


class Commands(click.Group):
    """A group whose list of commands holds the whole first sentence of each."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, each.get_short_help_str(UNCUT)) for name, each in found if each is not None and not each.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
