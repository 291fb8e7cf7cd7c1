"""Bags that were not ended: a foreign recorder's is left alone while it writes, and nothing of a torn one is lost."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from robot.ros.interfaces import registry, std_msgs
from robot.ros.tools import bag_repair
from robot.ros.tools.bag import definition, describe
from robot.ros.tools.session import ToolError

KIND = "std_msgs/msg/String"
COUNT = 5


@pytest.fixture
def torn(tmp_path: Path) -> Path:
    """The file of a bag as rosbag2 names it, cut off before its index and last written long ago."""
    folder = tmp_path / "bag"
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/chat", KIND, msgdef=definition(KIND), rihs01=registry.hash(KIND))
        message = std_msgs.msg.String(data="ripe")
        for n in range(COUNT):
            writer.write(connection, n, bytes(message._encode(message)))
    (folder / "metadata.yaml").unlink()
    path = (folder / "bag.mcap").rename(folder / "bag_0.mcap")
    with path.open("r+b") as file:
        file.truncate(bag_repair.last_whole_record(file))
    os.utime(path, (0, 0))
    return path


def test_a_torn_bag_is_ended_and_its_file_kept(torn: Path) -> None:
    before, earlier = torn.read_bytes(), torn.with_name("bag_0.mcap.torn")
    earlier.write_bytes(b"of an earlier end")
    assert describe(torn.parent)["messages"] == COUNT
    assert torn.with_name("bag_0.mcap.torn1").read_bytes() == before
    assert earlier.read_bytes() == b"of an earlier end"
    with Reader(torn.parent) as reader:
        assert reader.message_count == COUNT


def test_a_torn_bag_is_ended_from_inside_its_folder(torn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(torn.parent)
    assert describe(Path())["messages"] == COUNT


def test_a_bag_that_a_foreign_recorder_has_open_is_left_alone(torn: Path) -> None:
    before = torn.read_bytes()
    with torn.open("ab"), pytest.raises(ToolError, match="is being recorded"):
        describe(torn.parent)
    assert torn.read_bytes() == before and [path.name for path in torn.parent.iterdir()] == [torn.name]
    with torn.open("rb"):  # who only reads is no recorder
        assert describe(torn.parent)["messages"] == COUNT


def test_a_bag_that_was_written_a_moment_ago_is_left_alone(torn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_repair, "QUIET_S", float("inf"))
    with pytest.raises(ToolError, match="it was written"):
        describe(torn.parent)
    assert [path.name for path in torn.parent.iterdir()] == [torn.name]


def test_a_torn_bag_where_nothing_can_be_written_is_refused_in_words(
    torn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    with pytest.raises(ToolError, match="Read-only"):
        describe(torn.parent)
