"""The mp4 of a run that grows while the run does."""

import asyncio
import io

import av
import numpy as np
import pytest

from tests.nodes.conftest import INFO
from tests.nodes.fake_comfy import part
from tests.web.video import make_run

progressive = part("nodes.progressive")
InputError = part("echotorrent_core.errors").InputError


@pytest.mark.parametrize("size", [0, 1, 100, 32_759, 32_760, 32_761, 32_768, 100_000])
def test_padding_is_a_box_that_players_skip(size):
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    found = progressive.padded(data)
    assert found[:size] == data and len(found) % (1 << 15) == 0 and len(found) - size < (1 << 15) + 8
    box = found[size:]
    assert int.from_bytes(box[:4], "big") == len(box) >= 8 and box[4:8] == b"free" and not any(box[8:])


class Growing:
    """A run that is made while the test reads its mp4."""

    def __init__(self, runs):
        self.runs = runs

    def __enter__(self):
        self.run = self.runs.create(self.runs.roots()[0], "talk", INFO)
        self.run.write_init(b"init")
        self.made = 0
        return self

    def chunk(self):
        file = f"segments/{self.made:05d}.m4s"
        event = {"kind": "chunk", "chunk": self.made, "first_frame": self.made, "frames": 30, "file": file}
        self.run.commit(self.made, f"chunk {self.made}".encode(), event, None)
        self.made += 1

    def __exit__(self, *exc):
        self.run.write_closing(b"closing")
        self.run.close()


def text(part):
    return part[: part.index(b"\0")].decode()


def read(runs, growing, **options):
    """What arrives; a chunk is made whenever nothing more can come without one, three in all."""

    async def go():
        found = []
        async for fragment in progressive.fragments(growing.run.path, runs, **options):
            found.append(text(fragment))
            if growing.made < 3:
                growing.chunk()
            else:
                growing.__exit__()
        return found

    return asyncio.run(asyncio.wait_for(go(), 5))


def test_parts_come_as_they_are_made(runs):
    with Growing(runs) as growing:
        growing.chunk()
        assert read(runs, growing) == ["init", "chunk 0", "chunk 1", "chunk 2", "closing"]


@pytest.mark.parametrize("first", [0, 1])
def test_a_short_first_chunk_shows_at_once(runs, tmp_path, first):
    """Its last picture is repeated until there are as many as Chromium wants to see, and stays the same picture."""
    folder = make_run(tmp_path / "run", 3, 9)
    stream = io.BytesIO(b"".join(asyncio.run(collect(progressive.fragments(folder, runs, first)))))
    with av.open(stream) as container:
        found = [(frame.pts, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    with av.open(str(folder / "video.mp4")) as container:
        whole = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][9 * first :]
    extra = progressive.PROBED - 9
    shown = found[:9] + found[9 + extra :]
    assert all(np.array_equal(a, b) for (_, a), b in zip(shown, whole, strict=True))
    assert all(np.array_equal(picture, whole[8]) for _, picture in found[9 : 9 + extra])
    times = [pts for pts, _ in found]
    assert times == sorted(set(times)) and times[9 + extra] - times[8] == 640  # nothing moves for it


async def collect(parts):
    return [part async for part in parts]


def test_it_can_begin_later(runs):
    with Growing(runs) as growing:
        growing.chunk()
        growing.chunk()
        assert read(runs, growing, first=1) == ["init", "chunk 1", "chunk 2", "closing"]


def test_nobody_waits_for_what_nobody_reads(runs):
    with Growing(runs) as growing:
        growing.chunk()
        left = []

        def gone():
            left.append(1)
            return len(left) > 3

        async def go():
            return [text(part) async for part in progressive.fragments(growing.run.path, runs, gone=gone)]

        assert asyncio.run(asyncio.wait_for(go(), 5)) == ["init", "chunk 0"]


def test_a_damaged_run_leads_nowhere(runs, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    for file in ("../../secret", str(secret), "segments/link"):
        with Growing(runs) as growing:
            (growing.run.path / "segments" / "link").symlink_to(secret)
            growing.run.announce("chunk", chunk=0, first_frame=0, frames=1, file=file)
            with pytest.raises(InputError):
                read(runs, growing)
