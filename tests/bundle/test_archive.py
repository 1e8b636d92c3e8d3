"""The bundle's file: the same content gives the same bytes, and what a server would not take does not come through."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from mmhooks import BundleError
from mmhooks.bundle import archive


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    stage = tmp_path / "stage"
    (stage / "server").mkdir(parents=True)
    (stage / "plugin.json").write_text("{}")
    (stage / "server" / "plugin.py").write_text("#!/bin/sh\n")
    (stage / "server" / "plugin.py").chmod(0o755)
    (stage / ("deep/" * 30)).mkdir(parents=True)
    (stage / ("deep/" * 30) / "file.txt").write_text("a path longer than old archives have room for")
    return stage


def test_the_same_content_gives_the_same_bytes(stage: Path, tmp_path: Path) -> None:
    archive.write(stage, tmp_path / "one" / "a.tar.gz", "top")
    for path in [*stage.rglob("*"), stage]:
        os.utime(path, (1, 1))
        path.chmod(0o700 if path.is_dir() or path.stat().st_mode & 0o100 else 0o600)  # as under another mask
    archive.write(stage, tmp_path / "two" / "another-name.tar.gz", "top")
    assert (tmp_path / "one" / "a.tar.gz").read_bytes() == (tmp_path / "two" / "another-name.tar.gz").read_bytes()


def test_what_was_written_comes_out(stage: Path, tmp_path: Path) -> None:
    archive.write(stage, tmp_path / "a.tar.gz", "com.example.x")
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        members = tar.getmembers()
    assert {member.name.split("/")[0] for member in members} == {"com.example.x"}
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 0)}
    assert all(member.isdir() or member.isreg() for member in members)
    (tmp_path / "out").mkdir()
    root = archive.unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert root == tmp_path / "out" / "com.example.x"
    assert (root / "server" / "plugin.py").stat().st_mode & 0o777 == 0o755
    assert (root / "plugin.json").stat().st_mode & 0o777 == 0o644
    assert (root / ("deep/" * 30) / "file.txt").read_text().startswith("a path longer")


def test_a_file_that_could_not_be_written_leaves_nothing(stage: Path, tmp_path: Path) -> None:
    (stage / "gone").symlink_to("nowhere")
    with pytest.raises(FileNotFoundError):
        archive.write(stage, tmp_path / "out" / "a.tar.gz", "top")
    assert [*(tmp_path / "out").iterdir()] == []


def tar_with(tmp_path: Path, *members: tarfile.TarInfo) -> Path:
    file = tmp_path / "made.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for member in members:
            member.size = 2 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"{}"))
    (tmp_path / "out").mkdir()
    return file


def member(name: str, type_: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = type_, link
    return made


def test_links_are_dropped_as_a_server_drops_them(tmp_path: Path) -> None:
    file = tar_with(
        tmp_path,
        member("plugin.json"),
        member("soft", tarfile.SYMTYPE, "plugin.json"),
        member("hard", tarfile.LNKTYPE, "plugin.json"),
        member("pipe", tarfile.FIFOTYPE),
    )
    root = archive.unpack(file, tmp_path / "out")
    assert root == tmp_path / "out"  # the manifest may be at the top
    assert [path.name for path in root.iterdir()] == ["plugin.json"]


def test_what_leads_out_of_the_bundle_is_refused(tmp_path: Path) -> None:
    file = tar_with(tmp_path, member("plugin.json"), member("../escaped"))
    with pytest.raises(BundleError, match=r"\.\./escaped leads out of the bundle"):
        archive.unpack(file, tmp_path / "out")
    assert not (tmp_path / "escaped").exists()


def test_a_file_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "text.tar.gz").write_text("no archive")
    with pytest.raises(BundleError, match=r"text\.tar\.gz is no bundle, which is a \.tar\.gz"):
        archive.unpack(tmp_path / "text.tar.gz", tmp_path / "out")
    with pytest.raises(BundleError, match="is no bundle"):
        archive.unpack(tmp_path / "missing.tar.gz", tmp_path / "out")


def test_a_bundle_cut_off_in_the_middle_is_named(stage: Path, tmp_path: Path) -> None:
    archive.write(stage, tmp_path / "a.tar.gz", "top")
    (tmp_path / "half.tar.gz").write_bytes((tmp_path / "a.tar.gz").read_bytes()[:-60])
    (tmp_path / "out").mkdir()
    with pytest.raises(BundleError, match="is no bundle"):
        archive.unpack(tmp_path / "half.tar.gz", tmp_path / "out")


def test_an_archive_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    file = tar_with(tmp_path, member("a/plugin.json"), member("b/plugin.json"))
    with pytest.raises(BundleError, match=r"has no plugin\.json, neither at its top nor in its one top folder"):
        archive.unpack(file, tmp_path / "out")
