"""When small frames are held back to go as one, and how they are packed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot.ros.transport.bundle import BURST, GAP, Flood, join, split
from robot.ros.transport.frame import DATA, SIZE, Frame, FrameError, pack, unpack

TALKER = b"talker-0talker-1"


def frame(number: int, payload: bytes = b"", gid: bytes = TALKER) -> bytes:
    return pack(Frame(DATA, gid, number, 1.0)) + payload


def test_a_flood_begins_with_many_frames_in_a_row_and_not_before() -> None:
    flood, peers = Flood(), ["one"]
    answers = [flood.begins(peers, 5.0 + n * GAP / 2) for n in range(BURST + 2)]
    assert answers == [False] * BURST + [True, True] and flood.peers is peers


def test_frames_with_pauses_between_them_never_make_a_flood() -> None:
    flood, peers = Flood(), ["one"]
    assert not any(flood.begins(peers, 5.0 + n * GAP * 1.1) for n in range(10 * BURST))
    now = 50.0
    for _ in range(10):
        assert not any(flood.begins(peers, now + n * GAP / 2) for n in range(BURST))
        now += 1.0


def test_two_publishers_that_take_turns_make_no_flood() -> None:
    flood, turns = Flood(), (["one"], ["one"])
    assert not any(flood.begins(turns[n % 2], 5.0 + n * GAP / 10) for n in range(10 * BURST))


def test_a_flood_is_over_when_nothing_left_between_two_looks() -> None:
    flood, peers = Flood(), ["one"]
    assert any(flood.begins(peers, 5.0) for _ in range(BURST + 1))
    flood.frames = [frame(1), frame(2)]
    flood.take()
    assert not flood.is_over() and flood.peers is peers
    flood.frames.append(frame(3))
    assert flood.is_over() and flood.peers is None
    assert flood.take() == (frame(3), 1)
    assert not flood.begins(peers, 5.0), "the count begins anew"


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=40))
def test_what_is_packed_comes_out_in_order(payloads: list[bytes]) -> None:
    frames = [frame(n, payload) for n, payload in enumerate(payloads, start=1)]
    assert split(join(frames)) == frames


@given(at=st.integers(0, 400), mask=st.integers(1, 255), cut=st.integers(0, 400))
def test_a_damaged_bundle_is_refused_or_still_frames_of_its_publisher(at: int, mask: int, cut: int) -> None:
    damaged = bytearray(join([frame(n, bytes(n * 7)) for n in range(1, 6)]))
    damaged[at % len(damaged)] ^= mask
    for data in (bytes(damaged), bytes(damaged[:cut])):
        try:
            for found in split(data):
                head, flags, _ = unpack(found)
                assert head.gid == data[:16] and (head.kind, flags) == (DATA, 0)
        except FrameError:
            pass


@pytest.mark.parametrize(
    "inner",
    [
        frame(1, gid=bytes(16)),
        pack(Frame(9, TALKER, 1, 1.0)),
        pack(Frame(DATA, TALKER, 1, 1e300)),
        frame(1)[: SIZE - 1],
    ],
    ids=["of another", "a bundle", "of an impossible instant", "cut off"],
)
def test_a_bundle_of_anything_but_sound_messages_of_its_publisher_is_refused(inner: bytes) -> None:
    with pytest.raises(FrameError):
        split(join([frame(1), inner]))
