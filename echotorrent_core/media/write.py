"""Fragmented MP4, one self-contained fragment per chunk, and the plain MP4 made of them.

Each fragment is a pure function of (frames, sound around them, chunk index, first frame): a resumed run writes the same
bytes: a fresh H.264 encoder opens it with an IDR, and a fresh AAC encoder starts a few packets early and keeps only the
packets of this chunk. AAC packets overlap by half, so their place is fixed on one 1024-sample grid of the whole stream.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from ..errors import InputError
from ..files import move
from . import boxes
from .read import SOUND_RATE

AAC_FRAME = 1024
AAC_DELAY = 2 * AAC_FRAME  # a packet needs the samples after it: its own overlap, then the encoder's look-ahead
AAC_PREROLL = 4 * AAC_FRAME  # from 2 on, decoded sound is that of an unbroken encode (tests)
VIDEO_TICKS = 640  # time scale per frame, so that 25 fps is the 16 kHz clock


class SoundWindow(NamedTuple):
    """Stretch of the sound track: samples (2, n) from sample number `start` of the stream, 48 kHz."""

    start: int
    samples: np.ndarray

    @property
    def end(self) -> int:
        return self.start + self.samples.shape[1]

    def join(self, more: np.ndarray) -> SoundWindow:
        return SoundWindow(self.start, np.concatenate([self.samples, more], 1))

    def since(self, start: int) -> SoundWindow:
        start = max(start, self.start)
        return SoundWindow(start, self.samples[:, start - self.start :])


class SegmentEncoder:
    """Encodes chunks to fragments; holds settings only. size: (height, width), both even."""

    def __init__(self, size: tuple[int, int], fps: int = 25, crf: int = 18, bit_rate: int = 160_000) -> None:
        if size[0] % 2 or size[1] % 2 or min(size) < 16:
            raise ValueError(f"video size must be even and at least 16 in both directions, got {size}")
        if SOUND_RATE % fps:
            raise ValueError(f"fps must divide {SOUND_RATE}, got {fps}")
        self.size, self.fps, self.crf, self.bit_rate = size, fps, crf, bit_rate
        self.samples_per_frame = SOUND_RATE // fps

    def context_start(self, first_frame: int) -> int:
        """First sample of the sound that a chunk starting at `first_frame` needs."""
        return max(0, self._bound(first_frame) - AAC_PREROLL)

    def init(self) -> bytes:
        """The initialisation segment: file type and empty movie with both tracks."""
        file = io.BytesIO()
        options = {"movflags": "delay_moov+default_base_moof+skip_trailer", "use_editlist": "1"}
        options["video_track_timescale"] = str(self.fps * VIDEO_TICKS)
        with av.open(file, "w", format="mp4", options=options) as container:
            video, audio = container.add_stream("libx264", rate=self.fps), container.add_stream("aac", rate=SOUND_RATE)
            self._set_video(video.codec_context)
            self._set_audio(audio.codec_context)
            black = self._picture(np.zeros((*self.size, 3), np.uint8), 0)
            silence = np.zeros((2, 4 * AAC_FRAME), np.float32)
            packets = [*video.encode(black), *video.encode(None)]
            packets += [p for f in _sound_frames(0, silence) for p in audio.encode(f)]
            container.mux(packets)
        return boxes.head(file.getvalue())

    def chunk(self, index: int, first_frame: int, frames: np.ndarray, sound: SoundWindow) -> bytes:
        """One fragment. frames: uint8 (T, H, W, 3); sound: `context_start(first_frame)` to the last frame's end."""
        last = first_frame + len(frames)
        end = last * self.samples_per_frame
        if frames.dtype != np.uint8 or frames.shape[1:] != (*self.size, 3):
            raise ValueError(f"frames must be uint8 (T, {self.size[0]}, {self.size[1]}, 3), got {frames.shape}")
        if sound.start > self.context_start(first_frame) or sound.end < end:
            raise ValueError(f"chunk {index} needs sound from {self.context_start(first_frame)} to {end}")
        tracks = [self._video_track(first_frame, frames)]
        if audio := self._audio_track(self._bound(first_frame), self._bound(last), sound, end):
            tracks.append(audio)
        return boxes.fragment(index + 1, tracks)

    def closing(self, index: int, frames: int, sound: SoundWindow) -> bytes:
        """Sound-only fragment with the packets that the encoder's look-ahead still holds after `frames` frames."""
        end = frames * self.samples_per_frame
        track = self._audio_track(self._bound(frames), end, sound, end, flush=True)
        return boxes.fragment(index + 1, [track] if track else [])

    def _bound(self, frame: int) -> int:
        """Packets before this sample are complete once the sound reaches `frame`."""
        grid = frame * self.samples_per_frame // AAC_FRAME * AAC_FRAME
        return max(grid - AAC_DELAY, -AAC_FRAME)

    def _video_track(self, first_frame: int, frames: np.ndarray) -> boxes.Track:
        codec = av.CodecContext.create("libx264", "w")
        self._set_video(codec)
        packets = [p for t, pixels in enumerate(frames) for p in codec.encode(self._picture(pixels, t))]
        packets += codec.encode(None)
        samples = [boxes.length_prefixed(bytes(p)) for p in packets]
        return boxes.Track(1, first_frame * VIDEO_TICKS, VIDEO_TICKS, samples, key_first=True)

    def _audio_track(
        self, first: int, last: int, sound: SoundWindow, end: int, flush: bool = False
    ) -> boxes.Track | None:
        """Packets with time stamps in [first, last), encoded from sound before sample `end` only."""
        start = max(0, first - AAC_PREROLL)
        stop = -(-end // AAC_FRAME) * AAC_FRAME if flush else end // AAC_FRAME * AAC_FRAME
        samples = sound.since(start).samples[:, : min(stop, end) - start]
        samples = np.pad(samples, ((0, 0), (0, stop - start - samples.shape[1])))
        codec = av.CodecContext.create("aac", "w")
        self._set_audio(codec)
        packets = [p for f in _sound_frames(start, samples) for p in codec.encode(f)]
        packets += codec.encode(None) if flush else []
        kept = [p for p in packets if p.pts is not None and first <= p.pts < last]
        # The stream's first packet has time stamp -1024 (priming); the edit list in `init` takes that off again.
        return boxes.Track(2, first + AAC_FRAME, AAC_FRAME, [bytes(p) for p in kept]) if kept else None

    def _set_video(self, codec: Any) -> None:
        codec.height, codec.width = self.size
        codec.pix_fmt, codec.framerate, codec.time_base = "yuv420p", Fraction(self.fps), Fraction(1, self.fps)
        codec.colorspace = codec.color_primaries = codec.color_trc = 1  # BT.709
        codec.color_range = 1  # limited
        codec.thread_count = 1  # the bytes must not depend on the machine's cores
        codec.gop_size = 1 << 16
        codec.flags |= av.codec.context.Flags.global_header
        codec.options = {"preset": "veryfast", "tune": "zerolatency", "crf": str(self.crf), "x264-params": "scenecut=0"}

    def _set_audio(self, codec: Any) -> None:
        codec.sample_rate, codec.layout, codec.format = SOUND_RATE, "stereo", "fltp"
        codec.bit_rate, codec.time_base = self.bit_rate, Fraction(1, SOUND_RATE)
        codec.options = {"aac_coder": "fast"}  # half the time of the default, and closer to the input on speech
        codec.flags |= av.codec.context.Flags.global_header

    def _picture(self, pixels: np.ndarray, t: int) -> Any:
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
        picture = rgb.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        picture.pts, picture.time_base = t, Fraction(1, self.fps)
        return picture


def _sound_frames(start: int, samples: np.ndarray) -> Iterator[Any]:
    for at in range(0, samples.shape[1], AAC_FRAME):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, at : at + AAC_FRAME]), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start + at, Fraction(1, SOUND_RATE)
        yield frame


def video_codecs(init: bytes) -> str:
    """The `codecs` parameter of the MIME type for MediaSource, read from the initialisation segment."""
    at = init.index(b"avcC") + 5
    return f"avc1.{init[at : at + 3].hex()}, mp4a.40.2"


# ---------------------------------------------------------------------------------------------- final file


class _Joined:
    """Files read one after the other as one non-seekable stream."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = iter(paths)
        self._file: Any = io.BytesIO()

    def read(self, n: int = 65536) -> bytes:
        while not (data := self._file.read(n)):
            self._file.close()
            path = next(self._paths, None)
            if path is None:
                self._file = io.BytesIO()
                return b""
            self._file = open(path, "rb")  # noqa: SIM115 (closed when the next one opens)
        return data


def check_output(path: str | Path) -> Path:
    """`path` as a writable video file name, or InputError; called before work starts."""
    path = Path(path)
    if path.suffix.lower() not in (".mp4", ".m4v", ".mov", ".mkv"):
        raise InputError(f"output '{path}' must end in .mp4 (or .mov, .mkv)")
    if path.is_dir():
        raise InputError(f"output '{path}' is a folder; give a file name")
    folder = path.absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{path.name}.{os.getpid()}.probe"
        probe.write_bytes(b"\0")
        probe.unlink()
    except OSError as error:
        raise InputError(f"cannot write into '{folder}' ({error.strerror}); choose another output folder") from None
    return path


def finalise(segments: list[Path], out_path: str | Path, kept: str | Path = "") -> Path:
    """Copy fragments (`init.mp4` first) into one seekable MP4 with its index in front; nothing is re-encoded.

    Written under a temporary name beside `out_path`, then renamed. kept: what to name in the error (the run folder).
    Raises InputError when the target cannot be written; the fragments are untouched.
    """
    out_path = check_output(out_path)
    partial = out_path.absolute().with_name(f".{out_path.stem}.{os.getpid()}.partial{out_path.suffix}")
    options = {} if out_path.suffix.lower() == ".mkv" else {"movflags": "+faststart"}
    try:
        with (
            av.open(_Joined(segments), "r", format="mp4") as source,
            av.open(str(partial), "w", options=options) as target,
        ):
            streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
            for packet in source.demux():
                if packet.dts is None:
                    continue
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
        move(partial, out_path)
    except (OSError, av.error.FFmpegError) as error:
        partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error)
        note = f"; everything made so far is kept in '{kept}'" if kept else ""
        raise InputError(f"cannot write '{out_path}' ({reason}){note}; free space or choose another output") from None
    return out_path
