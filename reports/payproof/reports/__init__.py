"""What was found: one writer for each format, and the console's checklist."""

from payproof.reports import formats
from payproof.reports.folder import write_all
from payproof.reports.registry import WRITERS, Writer, writer

formats.register()

__all__ = ["WRITERS", "Writer", "write_all", "writer"]
