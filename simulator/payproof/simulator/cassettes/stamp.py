"""What a cassette says of itself, beside what VCR reads: when and of what it was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from payproof.contracts.model import PayproofError

KEY = "payproof"
"""Key of the stamp in the file, and of each exchange's note; VCR looks at neither."""
FORMAT = 1
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """How many secrets of one kind were replaced. ``length``: characters of the longest, 0 where nobody should know."""

    count: int
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """``recorded_at``: UTC, ISO 8601. ``upstream``: the sandbox's origin. ``seed`` and ``stories``: the probes that were performed, so
    that a replay can perform the same again."""

    format: int
    recorded_at: str
    gateway: str
    profile_version: str
    upstream: str
    base_path: str
    seed: int
    version: str
    """payproof's own."""
    stories: tuple[str, ...]
    exchanges: int
    redacted: Mapping[str, Redacted]
    checkout: str = ""
    """The origin of its hosted checkout, where that has one of its own."""

    def plain(self) -> dict[str, Any]:
        """For the file."""
        fields = {**asdict(self), "stories": list(self.stories)}
        return fields if self.checkout else {name: value for name, value in fields.items() if name != "checkout"}

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.recorded_at).astimezone(UTC)

    def age(self, now: datetime | None = None) -> timedelta:
        return max((now or datetime.now(UTC)) - self.moment, timedelta(0))


_ADAPTER = TypeAdapter(Stamp)


def parse(data: object, place: str) -> Stamp:
    """The stamp of a file.

    Raises:
        PayproofError: not one that this version understands.
    """
    try:
        stamp = _ADAPTER.validate_python(data)
        _ = stamp.moment
    except (ValidationError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        where = ".".join([KEY, *map(str, first["loc"])]) if first else f"{KEY}.recorded_at"
        problem = f'"{where}": {first["msg"]}' if first else f'"{where}": {error}'
        raise PayproofError(
            f"its stamp cannot be read: {problem}", place=place, remedy="record again with `payproof record`"
        ) from None
    if stamp.format != FORMAT:
        raise PayproofError(
            f"this cassette has format {stamp.format}, and this version of payproof reads {FORMAT}",
            place=place,
            remedy="record again with `payproof record`, or use the version that wrote it: payproof " + stamp.version,
        )
    return stamp


def span(text: str) -> timedelta:
    """``90d``, ``12h`` or ``8w`` as a span of time.

    Raises:
        ValueError: not such a text.
    """
    match = re.fullmatch(r"(\d{1,5})\s*([hdw])", text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not an age')
    return int(match[1]) * _UNITS[match[2]]


def age_in_words(age: timedelta) -> str:
    """An age for people: ``3 hours``, ``12 days``."""
    hours = int(age.total_seconds() // 3600)
    number, unit = (hours // 24, "day") if hours >= 48 else (hours, "hour")
    return "less than an hour" if not number else f"{number} {unit}{'' if number == 1 else 's'}"
