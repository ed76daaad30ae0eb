"""Stack traces of six runtimes are found whole in a log; their own frames are kept, those of libraries folded."""

from __future__ import annotations

import pytest

from payproof.suites.session.traces import last_trace

PYTHON = """\
POST /checkout
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/flask/app.py", line 1498, in __call__
    return self.wsgi_app(environ, start_response)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/site-packages/flask/app.py", line 1473, in wsgi_app
    response = self.full_dispatch_request()
  File "/srv/shop/app.py", line 12, in checkout
    pay(order)
  File "/srv/shop/pay.py", line 3, in pay
    return {}["amount"]
KeyError: 'amount'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/shop/app.py", line 14, in checkout
    give_up()
ValueError: no amount"""
NODE = """\
listening
Error: no amount
    at pay (/srv/shop/pay.js:3:9)
    at Layer.handle (/srv/shop/node_modules/express/lib/router/layer.js:95:5)
    at next (/srv/shop/node_modules/express/lib/router/route.js:149:13)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  code: 'EAMOUNT'
}"""
JAVA = """\
started
java.lang.IllegalStateException: no amount
\tat shop.Pay.pay(Pay.java:3)
\tat org.springframework.web.Servlet.service(Servlet.java:1)
Caused by: java.lang.NullPointerException
\tat shop.Order.amount(Order.java:9)
\t... 23 more"""
PHP = """\
PHP Fatal error:  Uncaught Exception: no amount in /srv/shop/pay.php:3
Stack trace:
#0 /srv/shop/index.php(12): pay()
#1 {main}"""
RUBY = """\
pay.rb:3:in `pay': no amount (RuntimeError)
\tfrom app.rb:12:in `block in <main>'
\tfrom /var/lib/gems/3.1.0/gems/sinatra-3/lib/sinatra/base.rb:1706:in `call'"""
GO = """\
panic: no amount
goroutine 34 [running]:
main.pay(...)
\t/srv/shop/pay.go:3
main.main()
\t/srv/shop/main.go:12 +0x1d"""
NOISE = "\nGET /a.css 200\nGET /b.css 200\nGET /c.css 200\nGET /d.css 200\nGET /e.css 200"


@pytest.mark.parametrize(
    ("log", "begins", "ends", "own"),
    [
        (PYTHON, "POST /checkout", "ValueError: no amount", ("app.py", "pay.py", "KeyError: 'amount'")),
        (NODE, "Error: no amount", "}", ("Error: no amount", "pay.js:3:9", "  code: 'EAMOUNT'")),
        (JAVA, "java.lang.Illegal", "\t... 23 more", ("shop.Pay.pay", "Caused by", "shop.Order.amount")),
        (PHP, "PHP Fatal error", "#1 {main}", ("no amount in /srv/shop/pay.php:3", "index.php(12)")),
        (RUBY, "pay.rb:3", "of libraries", ("no amount (RuntimeError)", "app.rb:12")),
        (GO, "panic: no amount", "main.go:12 +0x1d", ("pay.go:3", "main.pay(...)")),
    ],
    ids=("python", "node", "java", "php", "ruby", "go"),
)
def test_a_trace_is_whole_with_what_went_wrong_and_without_what_came_after(
    log: str, begins: str, ends: str, own: tuple[str, ...]
) -> None:
    found = last_trace(f"{log}{NOISE}".splitlines())
    assert found[0].startswith(begins)
    assert found[-1].endswith(ends)
    assert all(any(words in line for line in found) for words in own)
    assert not any(".css" in line for line in found)
    assert not any(words in line for line in found for words in ("site-packages", "node_modules", "springframework"))


def test_frames_of_libraries_are_counted_where_they_stood() -> None:
    found = last_trace(PYTHON.splitlines())
    assert found[2] == "  … 2 frames of libraries"
    assert "app.py" in found[3]


def test_the_last_of_two_traces_is_told() -> None:
    first = PYTHON.replace("amount", "stock")
    found = last_trace(f"{first}{NOISE}\n{PYTHON}".splitlines())
    assert not any("stock" in line for line in found)


def test_a_recursion_is_cut_in_its_middle_and_says_so() -> None:
    frames = [f'  File "/srv/shop/app.py", line {number}, in again' for number in range(900)]
    found = last_trace(["Traceback (most recent call last):", *frames, "RecursionError: too deep"])
    assert (found[0], found[-1]) == ("Traceback (most recent call last):", "RecursionError: too deep")
    assert "  … 782 more lines" in found


@pytest.mark.parametrize("line", ["look at 10:30", "main.go:12: order paid", "from shop.rb we came", "# 1 (2)", ""])
def test_ordinary_lines_are_no_trace(line: str) -> None:
    assert last_trace([line]) == []
