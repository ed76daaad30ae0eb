"""``payproof bundle`` and ``payproof verify``: a run's evidence in one file, and whether it still is what was packed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from payproof.contracts import __version__, files
from payproof.contracts.model import Json, PayproofError, Result
from payproof.contracts.run import Run
from payproof.suites.commands.judging import run_errors
from payproof.suites.commands.result_files import REPORT, RUN, found_in

if TYPE_CHECKING:
    from payproof.contracts.results.evidence import Bundle

_PATH = click.Path(path_type=Path)
_FACTS = (
    "name", "gateway", "profile_version", "payproof", "target", "quick", "seed", "started", "commit", "dirty",
    "configuration", "journal",
)  # fmt: skip
_HEAD = {"name": "", "gateway": "", "target": "", "commit": "commit ", "started": "started ", "outcome": ""}
_LARGEST = 256 << 20
"""Bytes of a report file beyond which it is not packed."""
_Line: TypeAlias = tuple[bool | None, str]
"""Whether it holds (None: nobody can say), and what it is."""


@click.command()
@click.argument("folder", type=_PATH, default=Path("payproof-report"))
@click.option("-o", "--output", type=_PATH, default=Path("evidence.zip"), show_default=True, help="The file to write.")
@click.option("--sign", type=_PATH, default=None, metavar="KEY.pem", help="Sign with this Ed25519 key.")
def bundle(folder: Path, output: Path, sign: Path | None) -> int:
    """Pack a report folder (default payproof-report) into one file: the reports, run.jsonl and a manifest of digests.

    The same files give the same bytes. Without --sign the manifest is a digest, which anybody can recompute.
    """
    from payproof.contracts.results import evidence, report_file
    from payproof.suites.commands.signing import signer

    if not folder.is_dir():
        raise PayproofError(
            "there is no such folder", place=str(folder), remedy="name a folder that `payproof run` wrote"
        )
    contents = _contents(folder)
    report, run_file = report_file.read(found_in(folder, REPORT)).result, found_in(folder, RUN)
    with run_errors(run_file):
        _, wrong = _judged_again(report, contents[RUN].decode(), str(run_file))
    if wrong:
        raise PayproofError(
            f"{REPORT} does not say what its run shows: {wrong[0]}",
            place=str(folder),
            remedy=f"payproof check {run_file} --config payproof.toml --report-dir {folder}",
        )
    run: dict[str, Json] = {name: report.facts[name] for name in _FACTS if name in report.facts}
    run["outcome"] = report.outcome.value.replace("_", " ")
    manifest, archive = evidence.pack(contents, run, version=__version__, sign=signer(sign) if sign else None)
    files.write_bytes(output, archive)
    click.echo(f"{output}: {len(contents)} files, {len(archive):,} bytes")
    click.echo(f"  {'signed; ' if sign else ''}digest sha256:{manifest.digest}")
    return 0


def _contents(folder: Path) -> dict[str, bytes]:
    """The files that payproof's writers make: whatever else lies in the folder is nobody's evidence, and may hold secrets."""
    from payproof.reports import WRITERS

    found: dict[str, bytes] = {}
    for name in (RUN, *(writer.filename for writer in WRITERS.values())):
        file = folder / name
        if not file.exists():
            continue
        if file.is_symlink() or not files.regular_within(file, folder) or file.stat().st_size > _LARGEST:
            raise PayproofError(
                f"this is no regular file of at most {_LARGEST:,} bytes",
                place=str(file),
                remedy="write the reports anew",
            )
        found[name] = file.read_bytes()
    return found


@click.command()
@click.argument("archive", type=_PATH)
@click.option("--key", type=_PATH, default=None, metavar="PUB.pem", help="The public half of the key that signed it.")
def verify(archive: Path, key: Path | None) -> int:
    """Say whether an evidence bundle is what was packed, and whether its verdicts are what this version judges.

    Needs no network. Exit codes: 0 it is, 1 it is not, 2 it cannot be read.
    """
    from rich.console import Console
    from rich.text import Text

    from payproof.contracts.results import evidence
    from payproof.reports.text_output import TextOutput
    from payproof.suites.commands.signing import checker

    fits = checker(key) if key else None
    found = evidence.unpack(_bytes(archive, evidence.LARGEST), place=str(archive))
    output = TextOutput(Console(file=sys.stdout))
    run = found.manifest.run
    output.say(" · ".join(f"{label}{run[name]}" for name, label in _HEAD.items() if name in run))
    good = True
    for holds, text in (*_intact(found), *_signed(found, fits), *_verdicts(found)):
        good = good and holds is not False
        mark = {True: "ok" if output.ascii else "✓", False: "x" if output.ascii else "✗", None: "!"}[holds]
        output.say(text, lead=Text(mark, style={True: "green", False: "red", None: "yellow"}[holds]))
    genuine = "GENUINE" if fits else "UNCHANGED, as far as a digest tells"
    output.say(genuine if good else "NOT GENUINE", style=f"bold {'green' if good else 'red'}")
    return 0 if good else 1


def _bytes(path: Path, largest: int) -> bytes:
    try:
        if not path.is_file() or files.special(path):
            raise OSError(0, "it is not a regular file" if path.exists() else "there is no such file")
        if (size := path.stat().st_size) > largest:
            raise OSError(0, f"it has {size:,} bytes, and more than {largest:,} are not read")
        return path.read_bytes()
    except OSError as error:
        raise PayproofError(
            f"cannot read the bundle: {error.strerror}", place=str(path), remedy="give what `payproof bundle` wrote"
        ) from None


def _intact(found: Bundle) -> Iterator[_Line]:
    for problem in found.problems:
        yield False, problem
    if not found.problems:
        yield True, f"{len(found.files)} files are as they were packed: digest sha256:{found.manifest.digest}"


def _signed(found: Bundle, fits: Callable[[bytes, bytes], bool] | None) -> Iterator[_Line]:
    if fits is not None:
        if found.signature is None:
            yield False, "it is not signed"
        elif fits(found.signature, found.manifest_bytes):
            yield True, "signed with this key"
        else:
            yield False, "the signature is not of this key, or not of this manifest"
    elif found.signature is None:
        yield None, "not signed: anybody can recompute a digest, so this shows accidents and no forgery"
    else:
        yield None, "signed, and not checked: give the public key with --key"


def _verdicts(found: Bundle) -> Iterator[_Line]:
    from payproof.contracts.results import report_file

    if RUN not in found.files or REPORT not in found.files:
        yield False, f"without {RUN} and {REPORT} nothing can be judged"
        return
    try:
        report = report_file.load(_text(found, REPORT), place=REPORT)
        with run_errors(Path(RUN)):
            run, wrong = _judged_again(report.result, _text(found, RUN), RUN)
    except PayproofError as error:
        yield False, f"{error.place}: {error.message}"
        return
    for each in wrong:
        yield False, each
    if wrong and report.version != __version__:
        yield None, f"payproof {report.version} wrote the report, and this is {__version__}"
    if not wrong:
        count = sum(len(world.entries) for world in run.worlds)
        yield True, f"the verdicts are what payproof {__version__} judges of its {count} journal entries"


def _text(found: Bundle, name: str) -> str:
    try:
        return found.files[name].decode()
    except UnicodeDecodeError as error:
        raise PayproofError(f"it is not UTF-8 text: byte {error.start} cannot be read", place=name) from None


def _judged_again(report: Result, text: str, place: str) -> tuple[Run, tuple[str, ...]]:
    from payproof.contracts import profile, run
    from payproof.contracts.results import rejudging

    saved = run.load(text, place=place)
    return saved, rejudging.disagreements(report, saved, profile.load(saved.gateway))
