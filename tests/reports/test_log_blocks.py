"""Log lines in blocks: one stream's lines together, a stack trace never torn."""

from __future__ import annotations

import pytest

from payproof.contracts.entries import Call, Entry, Log, Request
from payproof.reports.log_blocks import LINES_AFTER, LINES_BEFORE, blocks, log_scene

PYTHON = """\
ERROR shop cannot pay
Traceback (most recent call last):
  File "app.py", line 3, in pay
    raise ValueError("no")
ValueError: no

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 5, in pay
    raise KeyError("x")
KeyError: 'x'"""
NODE = """\
TypeError: fetch failed
    at node:internal/deps/undici/undici:13185:13
    at async pay (/app/shop.js:12:18)
Caused by: Error: connect ECONNREFUSED
    at TCPConnectWrap.afterConnect (node:net:1611:16)"""
PHP = """\
PHP Fatal error:  Uncaught Exception: no in /app/index.php:3
Stack trace:
#0 /app/index.php(9): pay()
#1 {main}
  thrown in /app/index.php on line 3"""
JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: no
\tat shop.Pay.run(Pay.java:3)
Caused by: java.io.IOException: closed
\tat shop.Wire.read(Wire.java:9)
\t... 12 more"""
GO = """\
panic: no

goroutine 1 [running]:
main.pay(...)
\t/app/main.go:7
main.main()
\t/app/main.go:11 +0x1d"""
RUBY = """\
app.rb:2:in `pay': no (RuntimeError)
\tfrom app.rb:5:in `<main>'"""


def lines(text: str, stream: str = "stderr") -> list[Entry]:
    return [Log(n=n, at=n / 1_000, stream=stream, text=line) for n, line in enumerate(text.split("\n"), start=1)]


def between(found: list[Entry], place: int) -> list[Entry]:
    """The lines with a call and another stream's line among them."""
    at = found[place].at
    call = Call(n=900, at=at, began=at, ended=at, ending="answered", request=Request(method="GET", url="https://h/"))
    return [*found[:place], call, Log(n=901, at=at, stream="stdout", text="GET / 200"), *found[place:]]


@pytest.mark.parametrize(
    "text", [PYTHON, NODE, PHP, JAVA, GO, RUBY], ids=["python", "node", "php", "java", "go", "ruby"]
)
def test_a_stack_trace_is_one_block_whatever_comes_between_its_lines(text: str) -> None:
    whole = lines(text)
    for place in range(1, len(whole)):
        if text.startswith("ERROR") and place == 1:
            continue  # the message before the trace is a line of its own
        if text == GO and place < 3:
            continue  # nothing tells that a trace comes
        torn = blocks(between(whole, place))
        assert [entry.n for entry in torn[0]] == [entry.n for entry in whole], place


def test_lines_of_one_stream_in_a_row_are_one_block_and_other_streams_begin_another() -> None:
    found = blocks([*lines("a\nb"), *lines("c", "stdout"), *lines("d")])
    assert [len(block) for block in found] == [2, 1, 1]


def test_a_line_after_a_pause_does_not_belong_to_the_trace_before() -> None:
    call = Call(n=9, at=1, began=1, ended=1, ending="answered", request=Request(method="GET", url="https://h/"))
    late = Log(n=10, at=5, stream="stderr", text="  indented")
    assert len(blocks([*lines(PYTHON), call, late])) == 3


def test_a_long_block_keeps_its_head_its_end_and_what_is_pointed_at() -> None:
    many = [Log(n=n, stream="stderr", text=f"line {n}") for n in range(1, 301)]
    scene = log_scene(many, world="w", pointed={150}, caused=False)
    assert [line.n for line in scene.lines] == [*range(1, LINES_BEFORE + 1), 150, *range(301 - LINES_AFTER, 301)]
    assert [line.n for line in scene.lines if line.pointed] == [150]
    assert scene.text.splitlines()[LINES_BEFORE:][:2] == [f"… {149 - LINES_BEFORE} lines …", "line 150"]
    shown = len(scene.lines)
    assert sum(line.left_out for line in scene.lines) == 300 - shown


def test_a_long_line_is_cut_in_its_middle_and_colours_are_taken_out() -> None:
    (line,) = log_scene(
        [Log(n=1, stream="s", text="\x1b[31mbegin" + "x" * 2_000 + "end\x1b[0m")], world="w", pointed=(), caused=False
    ).lines
    assert line.text.startswith("begin")
    assert line.text.endswith("end")
    assert "(1,408 more characters)" in line.text
