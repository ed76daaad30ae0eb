"""The diagram as mermaid text, which code hosts draw in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from payproof.reports.sequence.arrows import Arrow, Line, Note, SequencePart, lanes

_SAFE = str.maketrans({";": ",", "#": "no. ", "<": "‹", ">": "›", "\n": " "})
_HEADS = {"plain": "->>", "answer": "-->>", "bad": "--x"}


def mermaid(found: Sequence[Line]) -> str:
    """A ``sequenceDiagram``."""
    return "\n".join(("sequenceDiagram", *_lines(found)))


def _lines(found: Sequence[Line]) -> Iterator[str]:
    names = lanes(found)
    keys = {name: f"p{place}" for place, name in enumerate(names)}
    for name in names:
        yield f"    {'participant' if name in names[-2:] else 'actor'} {keys[name]} as {_text(name)}"
    for each in found:
        match each:
            case SequencePart(number, text):
                sentence = f"{number}. {text}" if number else text
                yield f"    Note over {keys[names[0]]},{keys[names[-1]]}: {_text(sentence)}"
            case Note(over, text):
                yield f"    Note over {keys[over]}: {_text(text)}"
            case Arrow(source, target, text, tone):
                yield f"    {keys[source]}{_HEADS[tone]}{keys[target]}: {_text(text)}"


def _text(text: str) -> str:
    return text.translate(_SAFE)
