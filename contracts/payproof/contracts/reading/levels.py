"""The level of a log line: read from its own level field or its prefix, never from its message.

JSON (pino, bunyan, zap, Monolog, GELF, ECS, OpenTelemetry ...), logfmt, and the prefixes of the usual loggers (Python, log4j,
slf4j, Spring, Ruby, Laravel, nginx, glog, Serilog, .NET, Rust, Elixir ...). A line that has no level says nothing of one, whatever words it
holds: ``GET /static/errors.css``, or an answer quoted with its ``"type":"error"``, is no error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from payproof.contracts.reading.json_text import table_of

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")

_WORDS: Mapping[int, str] = {
    10: "trace trce trc verbose verb vrb finest finer",
    20: "debug dbug dbg fine config",
    30: "info information informational inf",
    35: "notice ntc",
    40: "warning warn wrn",
    50: "error err eror severe fail",
    60: "critical crit crt fatal ftl panic dpanic",
    70: "alert",
    80: "emergency emerg",
}
_RANKS: Mapping[str, int] = {word: rank for rank, words in _WORDS.items() for word in words.split()}
_ERROR, _CRITICAL = 50, 60
_LETTERS: Mapping[str, int] = {"V": 10, "D": 20, "I": 30, "W": 40, "E": _ERROR, "F": _CRITICAL, "C": _CRITICAL}
_SYSLOG = (80, 70, _CRITICAL, _ERROR, 40, 35, 30, 20)
_SHOUTED = frozenset({"fine", "finer", "finest", "config"})
"""Levels that are ordinary words unless they stand in capitals."""
_FIELDS = (
    *("level", "level_name", "levelname", "loglevel", "log_level", "log.level", "@level", "@l", "lvl"),
    *("severity", "severitytext", "severity_text", "severity_label", "syslog.severity", "priority"),
    *("levelno", "severitynumber", "severity_number"),
)

_GAP = re.compile(r"[\s|:,;>*#~·•–—-]*")
_GROUP = re.compile(r"\[([^\[\]]{0,120})\]|\(([^()]{0,80})\)")
_NUMBER = re.compile(r"[+#]?\d[\w:.,/+#-]*|(?:pid|tid|thread)[=:]\d+", re.IGNORECASE)
_CALENDAR = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|AM|PM|UTC|GMT|[CEMPW][DES]{1,2}T)\b"
)
_WORD = re.compile(r"[A-Za-z_@][\w.$@\\/-]*(?P<pid>\[\d+\])?")
_PHP = re.compile(r"(?:PHP )?(?:(?:Catchable |Recoverable )?Fatal|Parse|Core|Compile) error:", re.IGNORECASE)
_GLOG = re.compile(r"([DIWEF])\d{4} \d\d:\d\d:\d\d")
_TORNADO = re.compile(r"\[([DIWEFC]) \d{6} \d\d:\d\d:\d\d")
_RUBY = re.compile(r"([DIWEFA]), \[\d{4}-")
_ANDROID = re.compile(r"([VDIWEF])/\S")
_PRIORITY = re.compile(r"<(\d{1,3})>")
_CONTAINER = re.compile(r"^[\w.-]+\s+\| ")

_PAIR = r'[\w.@/-]+=(?:"(?:\\.|[^"\\])*"|[^\s"]*)'
_LOGFMT = re.compile(
    rf"^(?:(?:[^\sA-Za-z\[=][^\s=]*|\[[^\]]*\]|{_PAIR})\s+)*(?:{'|'.join(map(re.escape, _FIELDS))})=\"?(?P<early>[\w+-]+)"
    rf"|\s(?:{'|'.join(map(re.escape, _FIELDS))})=\"?(?P<late>[\w+-]+)\"?(?:\s+{_PAIR})*\s*$",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """A line without a terminal's colours."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def reaches(text: str, level: str) -> bool:
    """Whether a log line is of this level or of a higher one. A level of the shop's own invention is compared by its name."""
    wanted = _RANKS.get(level.strip().casefold())
    found = _read(plain(text).strip(), level.strip().casefold())
    if wanted is None or isinstance(found, str):
        return isinstance(found, str) and found == level.strip().casefold()
    return found is not None and found >= wanted


def rank(text: str) -> int | None:
    """How grave the line is (10 trace ... 30 info, 40 warning, 50 error, 60 critical ... 80 emergency); None: it does not say."""
    found = _read(plain(text).strip(), "")
    return found if isinstance(found, int) else None


def _read(line: str, own: str) -> int | str | None:
    """A rank, or ``own`` when the line's level is that word of the shop's own."""
    line = _CONTAINER.sub("", line) if "| {" in line[:80] else line
    if line.startswith("{") and (fields := table_of(line)) is not None:
        return _of_fields(fields, own)
    found = _of_prefix(line, own)
    if found is None and "=" in line and (pair := _LOGFMT.search(line)):
        found = _named(pair["early"] or pair["late"], own)
    return found


def _of_fields(fields: Mapping[str, Any], own: str) -> int | str | None:
    by_name = {key.casefold(): value for key, value in fields.items()}
    for name in ("log", "level", "record"):
        if isinstance(inner := by_name.get(name), dict):
            # {"log": {"level": ...}} (ECS), {"level": {"name": ...}}, {"record": {"level": {"name": ...}}} (loguru)
            inner = {key.casefold(): value for key, value in cast("dict[str, Any]", inner).items()}
            inner = inner["level"] if isinstance(inner.get("level"), dict) else inner
            by_name["level"] = inner.get("level", inner.get("name"))
    values = [(name, by_name[name]) for name in _FIELDS if name in by_name]
    for _, value in values:
        if isinstance(value, str) and (found := _named(value, own)) is not None:
            return found
    return next((found for name, value in values if (found := _numbered(name, value)) is not None), None)


def _numbered(name: str, value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    if name in ("severitynumber", "severity_number"):  # OpenTelemetry: four of each
        return next((rank for end, rank in ((4, 10), (8, 20), (12, 30), (16, 40), (20, _ERROR)) if value <= end), 60)
    if value < len(_SYSLOG):
        return _SYSLOG[value] if value >= 0 else None
    if value >= 100:  # Monolog
        return next(
            (r for end, r in ((149, 20), (249, 30), (299, 35), (399, 40), (499, _ERROR), (549, 60)) if value <= end), 70
        )
    return value + 10 if name == "levelno" else value  # Python's numbers are ten below those of pino and bunyan


def _named(word: str, own: str) -> int | str | None:
    word = re.sub(r"[+-]\d+$", "", word.strip().casefold())
    return own if own and own not in _RANKS and word == own else _RANKS.get(word)


def _of_prefix(line: str, own: str) -> int | str | None:
    for form in (_GLOG, _TORNADO, _RUBY, _ANDROID):
        if letter := form.match(line):
            return 80 if letter[1] == "A" else _LETTERS[letter[1]]
    if letter := _PRIORITY.match(line):
        return _SYSLOG[int(letter[1]) % 8]
    return next((found for found in _walk(line, own) if found is not None), None)


def _walk(line: str, own: str) -> Iterator[int | str | None]:
    """What stands before the message, piece by piece: times, brackets, process ids, the logger's name, the level."""
    place = names = 0
    numbered = stamped = False
    for _ in range(24):
        place += len(cast("re.Match[str]", _GAP.match(line, place))[0])
        if _PHP.match(line, place):
            yield _CRITICAL
            return
        if group := _GROUP.match(line, place):
            yield _of_group(group[1] or group[2] or "", own)
            place, stamped, numbered = group.end(), True, False
        elif found := _CALENDAR.match(line, place) or _NUMBER.match(line, place):
            place, stamped, numbered = found.end(), True, True
        elif word := _WORD.match(line, place):
            yield _of_word(line, word, own, numbered=numbered)
            names += "." not in word[0] and not word["pid"] and not re.match(r"\s*\||\s+[-–]\s", line[word.end() :])
            if names > 1 or line[word.end() : word.end() + 1] not in ("", " ", "\t", ":", "|", ",", "]"):
                return
            place, numbered = word.end(), False
        elif not line[place : place + 1].isascii():
            place += 1  # an emoji
        else:
            return
        if place >= len(line) or (place > 200 and not stamped):
            return


def _of_group(content: str, own: str) -> int | str | None:
    words = (found for word in re.split(r"[\s:/,|]+", content) if (found := _named(word, own)) is not None)
    return next(words, None)


def _of_word(line: str, word: re.Match[str], own: str, *, numbered: bool) -> int | str | None:
    token = word[0].rstrip("-./")
    after = line[word.end() :]
    if numbered and token in _LETTERS and after.startswith(" "):
        return _LETTERS[token]  # 11-28 11:00:00.123  1234  1234 E Tag: ...
    last = token.rpartition(".")[2].partition("/")[0]  # local.ERROR, ERROR/MainProcess
    shouted = last.isupper()
    set_off = re.match(r"\s*[:|]|\s+[-–]\s", after) is not None and last == token
    if not (shouted or set_off) or (last.casefold() in _SHOUTED and not shouted):
        return None
    return _named(last, own)
