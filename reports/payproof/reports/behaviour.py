"""How an integration behaves, in words: the tables that every format shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from payproof.contracts.behaviour import (
    Behaviour,
    Failing,
    Failure,
    KeptAlive,
    Patience,
    Refusal,
    RetryAfter,
    Stall,
    Tls,
    TokenUse,
)
from payproof.contracts.behaviour.patience import AT_THE_CONNECTION
from payproof.contracts.model import Pointer

Tone: TypeAlias = Literal["plain", "over", "none"]
"""``over``: beyond the limit that the gateway's guidance gives. ``none``: nothing was measured."""

STALLS: Mapping[Stall, str] = {
    "connect": "the connection is not accepted",
    "tls": "the TLS handshake is not answered",
    "first-byte": "no byte of the answer comes",
    "body": "headers come, and no body",
    "drip": "the body drips, a byte at a time",
    "longest": "longest call of the run",
}
FAILINGS: Mapping[Failing, str] = {
    "late": "no answer in time",
    "lost": "connection lost before the answer ended",
    "unauthorized": "answered 401",
    "limited": "answered 429",
    "broken": "answered 5xx",
    "refused": "answered another 4xx",
    "unreadable": "an answer that is not the gateway's own",
    "slow": "the right answer, slowly",
}
CERTIFICATES: Mapping[str, str] = {
    "unknown-authority": "a certificate of an unknown authority",
    "expired-certificate": "an expired certificate",
    "wrong-host": "another host's certificate",
    "old-tls": "TLS 1.0 and 1.1 only",
}
_HANG_UP = (
    "From the first byte of a call until the integration closed the connection, whatever its customer was told before."
)
_LATE = " This machine had too much to do: payproof was up to {} late, the integration perhaps as much, and so wrong may a figure be."
_GRACE = 1.1
"""Who hangs up has ten per cent of grace: libraries round to the next second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. ``text`` is the figure itself, ``limit`` what is allowed, ``notes`` what belongs to it."""

    text: str
    limit: str = ""
    notes: tuple[str, ...] = ()
    tone: Tone = "plain"
    evidence: tuple[Pointer, ...] = ()

    @property
    def line(self) -> str:
        """All of it: ``28.9 s, limit 30; the customer was answered after 25.0 s``."""
        return "; ".join((f"{self.text}, {self.limit}" if self.limit else self.text, *self.notes))


NOTHING = Figure(text="not met", tone="none")
"""No call of this kind met this."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """``figures``: one for each column, or a single one for all of them."""

    label: str
    figures: tuple[Figure, ...]

    def lines(self, columns: Sequence[str]) -> Iterator[str]:
        """One line for each figure, without those that were not met; a figure for all columns stands without their names."""
        if len(self.figures) != len(columns):
            yield from (figure.line for figure in self.figures)
            return
        for column, figure in zip(columns, self.figures, strict=True):
            if figure is not NOTHING:
                yield f"{column}: {figure.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTable:
    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[FigureRow, ...]


def tables(found: Behaviour) -> tuple[FigureTable, ...]:
    """What is measured by operation: when it hangs up, and what it does after a failure."""
    hang_up = FigureTable(
        title="Seconds until it hangs up",
        about=_HANG_UP + (_LATE.format(seconds(found.late)) if found.late else ""),
        columns=found.operations,
        rows=tuple(_patience_rows(found)),
    )
    failing = FigureTable(
        title="When a call fails",
        about="How often one request was sent at most, and the pauses between; below it what the customer was shown after the longest wait.",
        columns=found.operations,
        rows=(*_failure_rows(found), *_retry_rows(found)),
    )
    return tuple(table for table in (hang_up, failing) if table.columns and table.rows)


def _patience_rows(found: Behaviour) -> Iterator[FigureRow]:
    for stall, label in STALLS.items():
        figures = [patience(each) for each in found.patience if each.stall == stall]
        at_once = stall in AT_THE_CONNECTION
        yield FigureRow(label, _at_the_connection(found, stall) if at_once else _merged(figures))


def _at_the_connection(found: Behaviour, stall: Stall) -> tuple[Figure, ...]:
    """One for all calls where nobody knows what the connection was for; else what is known of each."""
    met = {each.operation: each for each in found.patience if each.stall == stall}
    if set(met) == {""}:
        once = patience(met[""])
        whichever = () if once.tone == "none" else ("whichever call it was for",)
        return (replace(once, notes=(*once.notes, *whichever)),)
    return tuple(
        patience(met.get(name) or met[""]) if name in met or "" in met else NOTHING for name in found.operations
    )


def _merged(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """One for all columns where nothing was measured in any of them, for the same reason."""
    same = len({(figure.text, figure.notes) for figure in figures}) == 1
    return tuple(figures[:1]) if same and figures[0].tone == "none" else tuple(figures)


def patience(each: Patience) -> Figure:
    if each.unmeasured:
        return _not_measured(each.unmeasured)
    limit = "" if each.stall == "longest" else f"limit {each.limit:g}"
    lasted = each.seconds if each.seconds is not None else each.watched or 0.0
    text = seconds(lasted) if each.seconds is not None else f"none within {seconds(lasted)}"
    notes = [] if each.answered is None else [f"the customer was answered after {seconds(each.answered)}"]
    notes += [f"the longest of {each.attempts}"] if each.attempts > 1 else []
    allowed = each.limit * _GRACE if each.seconds is not None else each.limit
    over = each.stall != "longest" and lasted > allowed
    return Figure(text=text, limit=limit, notes=tuple(notes), tone="over" if over else "plain", evidence=each.evidence)


def _failure_rows(found: Behaviour) -> Iterator[FigureRow]:
    for failing, label in FAILINGS.items():
        met = {each.operation: each for each in found.failures if each.failing == failing}
        if met:
            yield FigureRow(label, _each(found.operations, met, failure))


def _each(
    operations: Iterable[str], met: Mapping[str, Failure], figure_of: Callable[[Failure], Figure]
) -> tuple[Figure, ...]:
    return tuple(figure_of(met[operation]) if operation in met else NOTHING for operation in operations)


def failure(each: Failure) -> Figure:
    notes = [_gaps(each.gaps)] if each.gaps else []
    notes += ["the last one went through"] if each.went_through else []
    if each.waited is not None:
        answer, waited = f"HTTP {each.status}" if each.status else "no answer", seconds(each.waited)
        notes.append(
            f"none within {waited}; {answer} when the gateway ended the call"
            if each.let_go
            else f"{answer} after {waited}"
        )
    return Figure(text=times(each.attempts), notes=tuple(notes), evidence=each.evidence)


def _gaps(gaps: Sequence[float]) -> str:
    more = f" and {len(gaps) - 4} more" if len(gaps) > 4 else ""
    return f"again after {', '.join(seconds(gap) for gap in gaps[:4])}{more}"


def _retry_rows(found: Behaviour) -> Iterator[FigureRow]:
    for asked in sorted({each.asked for each in found.retry_after}):
        met = {each.operation: each for each in _worst_last(found.retry_after) if each.asked == asked}
        figures = tuple(retry(met[name]) if name in met else NOTHING for name in found.operations)
        yield FigureRow(f"429 with Retry-After: {asked:g}", figures)


def _worst_last(found: Iterable[RetryAfter]) -> list[RetryAfter]:
    return sorted(found, key=lambda each: not each.obeyed)


def retry(each: RetryAfter) -> Figure:
    if each.after is None:
        return Figure(text="obeyed", notes=("not sent again by itself",), evidence=each.evidence)
    again = f"sent again after {seconds(each.after)}"
    if each.obeyed:
        return Figure(text="obeyed", notes=(again,), evidence=each.evidence)
    return Figure(text="too early", notes=(again,), tone="over", evidence=each.evidence)


def facts_of(found: Behaviour) -> tuple[FigureRow, ...]:
    """What is measured of the whole run: a label and one figure each."""
    use = (FigureRow("access tokens, while nothing goes wrong", (tokens(found.tokens),)),) if found.tokens else ()
    shown = tuple(_refusal_rows(found.refusals))
    kept = FigureRow("connections kept alive", (kept_alive(found.kept_alive),))
    return (*use, kept, FigureRow("TLS", (tls(found.tls),)), *shown)


def _refusal_rows(found: Sequence[Refusal]) -> Iterator[FigureRow]:
    """One row where nothing is known of any certificate, for the same reason."""
    why = {each.unmeasured for each in found}
    if len(why) == 1 and "" not in why:
        yield FigureRow("what it is to refuse in a handshake", (_not_measured(why.pop()),))
    else:
        yield from (FigureRow(CERTIFICATES[each.fault], (refusal(each),)) for each in found)


def tokens(use: TokenUse) -> Figure:
    if use.unmeasured:
        return _not_measured(use.unmeasured)
    text = f"{count(use.calls, 'token call')} for {count(use.payments, 'payment')}"
    return Figure(text=text, evidence=use.evidence)


def kept_alive(kept: KeptAlive) -> Figure:
    if kept.unmeasured:
        return _not_measured(kept.unmeasured)
    text = f"{count(kept.calls, 'call')} on {count(kept.connections, 'connection')}"
    return Figure(text=text, notes=(f"at most {kept.most:,} on one",), evidence=kept.evidence)


def tls(seen: Tls) -> Figure:
    if seen.unmeasured:
        return _not_measured(seen.unmeasured)
    plain = seen.chosen.get("", 0)
    chosen = sorted((_version(name) for name in seen.chosen if name), reverse=True)
    notes = [f"offers {', '.join(_version(name) for name in seen.offered)}"] if seen.offered else []
    notes += [f"{count(plain, 'connection')} in plain text"] if plain and chosen else []
    return Figure(
        text=f"{' and '.join(chosen)} chosen" if chosen else "plain text", notes=tuple(notes), evidence=seen.evidence
    )


def _version(name: str) -> str:
    """``TLS 1.3`` for ``TLSv1.3``; the first is called ``TLSv1``."""
    return "TLS 1.0" if name == "TLSv1" else name.replace("v", " ")


def refusal(met: Refusal) -> Figure:
    if met.unmeasured:
        return _not_measured(met.unmeasured)
    if met.taken:
        return Figure(text="taken", notes=(count(met.taken, "call"),), tone="over", evidence=met.evidence)
    alert = f"alert: {', '.join(met.alerts)}" if met.alerts else "the connection was given up"
    return Figure(text="refused", notes=(alert,), evidence=met.evidence)


def _not_measured(why: str) -> Figure:
    return Figure(text="not measured in this run", notes=(why,), tone="none")


def seconds(value: float) -> str:
    """``28.9 s``; two decimals below one second."""
    if value < 0.005:
        return "under 0.01 s"
    return f"{value:.1f} s" if value >= 0.995 else f"{value:.2f} s"


def times(number: int) -> str:
    """``sent once``, ``sent 3 times``."""
    return {1: "sent once", 2: "sent twice"}.get(number, f"sent {number} times")


def count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
