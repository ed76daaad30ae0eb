"""Forms that strangers send: read as far as the family's framework reads them, in a time that does not depend on what they hold."""

from __future__ import annotations

import pytest

from payproof.contracts.contract.fields import sent
from payproof.contracts.entries import Request
from payproof.contracts.reading.form_data import MOST_FIELDS, multipart, pairs

NESTED = "".join(
    f'--b{level}\r\nContent-Type: multipart/mixed; boundary=b{level + 1}\r\nContent-Disposition: form-data; name="n"\r\n\r\n'
    for level in range(3_000)
)


def test_a_form_of_very_many_parts_is_read_as_far_as_php_reads_it() -> None:
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n%d\r\n' % (n, n) for n in range(5_000))
    found = multipart("multipart/form-data; boundary=x", parts + b"--x--\r\n")
    assert found
    assert (found["f0"], found["f999"], "f1000" in found) == ("0", "999", False)


def test_a_form_in_a_form_is_a_field_and_not_taken_apart() -> None:
    assert set(multipart("multipart/form-data; boundary=b0", NESTED.encode()) or {}) == {"n"}


def test_the_judge_reads_a_form_in_a_form_as_the_gateway_does() -> None:
    text = NESTED[: 60 * 1024]
    asked = Request(
        method="POST",
        url="https://g.example/x",
        headers=(("Content-Type", "multipart/form-data; boundary=b0"),),
        body=text,
    )
    assert set(sent(asked, tidy=True, with_body=True).fields) == {"n"}


def test_a_boundary_within_a_value_is_a_part_of_it() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1 --x 2\r\n--x--\r\n'
    assert multipart("multipart/form-data; boundary=x", body) == {"a": "1 --x 2"}


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", 'multipart/form-data; boundary=""', "multipart/form-data; boundary=y"]
)
def test_a_form_without_its_boundary_is_none(kind: str) -> None:
    assert multipart(kind, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n') is None


def test_a_query_is_read_as_far_as_php_reads_it() -> None:
    found = pairs("&".join(f"f{n}={n}" for n in range(5_000)))
    assert (len(found), found[-1]) == (MOST_FIELDS, ("f999", "999"))
    assert pairs("a=1&a=2&b=&c") == [("a", "1"), ("a", "2"), ("b", ""), ("c", "")]
