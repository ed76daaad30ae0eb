"""The registry of formats, and the report folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from payproof.contracts import run as runs
from payproof.contracts.model import PayproofError, Result
from payproof.contracts.run import Run
from payproof.reports import WRITERS, registry, write_all

USUAL = {
    "json": "report.json",
    "junit": "junit.xml",
    "markdown": "report.md",
    "html": "report.html",
    "curl": "requests.sh",
    "http": "requests.http",
    "postman": "postman_collection.json",
}
FILES = {
    **USUAL,
    "annotations": "annotations.txt",
    "badge": "badge.svg",
    "ctrf": "ctrf.json",
    "gitlab": "gl-code-quality-report.json",
    "intellij": "requests.intellij.http",
    "sarif": "payproof.sarif",
    "shields": "badge.json",
    "summary": "summary.md",
}


def test_every_format_registers_itself_under_its_name() -> None:
    assert {name: writer.filename for name, writer in WRITERS.items()} == FILES
    assert all(writer.name == name for name, writer in WRITERS.items())


@pytest.mark.parametrize(("name", "filename"), [("json", "other.json"), ("other", "report.json")])
def test_a_name_or_a_file_is_taken_once(name: str, filename: str) -> None:
    with pytest.raises(ValueError, match="registered twice"):
        registry.writer(name, filename)(lambda result, run: "")
    assert "other" not in WRITERS


def test_the_usual_formats_and_the_run_are_written(result: Result, run: Run, tmp_path: Path) -> None:
    paths = write_all(result, run, tmp_path / "new" / "folder")
    assert set(paths) == {*USUAL, "run"}
    assert all(path.stat().st_size for path in paths.values())
    assert runs.read(paths["run"]) == run


def test_only_the_named_formats_are_written(result: Result, run: Run, tmp_path: Path) -> None:
    write_all(result, run, tmp_path, ["junit", "json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "report.json", "run.jsonl"]


def test_an_unknown_format_is_refused_with_the_known_ones(result: Result, run: Run, tmp_path: Path) -> None:
    with pytest.raises(PayproofError, match="pdf") as caught:
        write_all(result, run, tmp_path, ["pdf"])
    assert "markdown" in caught.value.remedy
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_a_clear_error(result: Result, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PayproofError) as caught:
        write_all(result, run, tmp_path / "file" / "folder")
    assert str(tmp_path / "file") in caught.value.place
    assert caught.value.remedy


@pytest.mark.parametrize("name", FILES)
def test_a_format_is_pure(name: str, result: Result, run: Run) -> None:
    assert WRITERS[name].render(result, run) == WRITERS[name].render(result, run)


@pytest.mark.parametrize("name", FILES)
def test_every_format_copes_with_an_empty_run(name: str, empty: Result) -> None:
    assert WRITERS[name].render(empty, Run(gateway="nobody"))


@pytest.mark.parametrize("name", FILES)
def test_every_format_copes_with_a_run_that_is_not_scored(name: str, not_scored: Result, run: Run) -> None:
    assert WRITERS[name].render(not_scored, run)


@pytest.mark.parametrize("name", FILES)
def test_no_format_lets_half_a_character_through(name: str, result: Result, run: Run) -> None:
    broken = dataclasses.replace(result, facts={"name": "shop \ud800"})
    WRITERS[name].render(broken, run).encode("utf-8")


@pytest.mark.parametrize("name", FILES)
def test_control_characters_do_not_reach_a_report(name: str, result: Result, run: Run) -> None:
    text = WRITERS[name].render(result, run)
    assert not {letter for letter in text if letter < " "} - {"\n", "\t"}


@pytest.mark.parametrize("name", ["json", "markdown", "html"])
def test_secrets_are_placeholders(name: str, result: Result, run: Run) -> None:
    text = WRITERS[name].render(result, run)
    assert "access-token-1" in text
    assert "Tk7hN2pQrS9v" not in text


def test_the_requirements_of_a_shortened_run_are_not_taken_for_the_whole(result: Result, run: Run) -> None:
    short = dataclasses.replace(result, judgements=result.judgements[:3])
    assert len(json.loads(WRITERS["json"].render(short, run))["not_judged"]) == len(result.scope) - 3
    for name in ("markdown", "html"):
        assert "54 of 57 requirements were not part of this run" in WRITERS[name].render(short, run)


def test_a_link_in_the_report_folder_is_replaced_and_not_followed(result: Result, run: Run, tmp_path: Path) -> None:
    other, folder = tmp_path / "authorized_keys", tmp_path / "report"
    other.write_text("mine")
    folder.mkdir()
    for name in ("run.jsonl", *FILES.values()):
        (folder / name).symlink_to(other)
    write_all(result, run, folder, FILES)
    assert other.read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == sorted(["run.jsonl", *FILES.values()])
    assert not any(path.is_symlink() for path in folder.iterdir())


def test_a_report_folder_that_leads_out_of_the_project_is_refused(
    result: Result, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    project.mkdir()
    home.mkdir()
    (project / "payproof-report").symlink_to(home)
    (project / "inner").mkdir()
    (project / "link").symlink_to(project / "inner")
    monkeypatch.chdir(project)
    for folder in ("payproof-report", "payproof-report/below", "inner/../payproof-report"):
        with pytest.raises(PayproofError, match="out of the project"):
            write_all(result, run, Path(folder))
    assert not list(home.iterdir())
    assert write_all(result, run, Path("link"), ["json"])


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(result: Result, run: Run, tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").mkdir()
    with pytest.raises(PayproofError) as caught:
        write_all(result, run, tmp_path, ["json"])
    assert "run.jsonl" in caught.value.place
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "run.jsonl"]
