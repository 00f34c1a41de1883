"""Reading what people have: any image, any sound, files or pipes.

Sound is decoded once and leaves as two tracks that cover the same time span: 16 kHz mono for the engine and
48 kHz stereo for the sound track of the result. One video frame at 25 fps is 640 and 1920 samples of them.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    import torch
    from PIL import Image

SOUND_RATE = 48000
BACKDROP = (128, 128, 128)  # behind transparent pixels: neutral for a network that sees [-1, 1]


class AudioBlock(NamedTuple):
    """The same stretch of time twice: `mono` (n,) at the reader's rate, `sound` (2, ratio * n) at 48 kHz."""

    mono: np.ndarray
    sound: np.ndarray


def file_digest(path: str | Path) -> str:
    """Cheap identity of a file of any length: SHA-256 of its size, first and last MiB."""
    size = os.path.getsize(path)
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as file:
        digest.update(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        digest.update(file.read(1 << 20))
    return digest.hexdigest()


def check_file(path: str | Path, what: str) -> Path:
    """`path` as a readable, non-empty file, or InputError naming `what` it was to be."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"{what} not found: '{path}'; check the path")
    if not path.is_file():
        raise InputError(f"{what} '{path}' is not a file; give the path of one file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{what} '{path}' may not be read; check its permissions")
    if path.stat().st_size == 0:
        raise InputError(f"{what} '{path}' is empty (0 bytes); give another file")
    return path


# ---------------------------------------------------------------------------------------------- images


def read_image(source: str | Path | bytes, size: tuple[int, int] | None = None) -> torch.Tensor:
    """Picture, or first frame of a video, as float32 (3, H, W) in [-1, 1].

    size: (height, width); the picture is scaled to cover it (antialiased) and its centre is kept.
    Transparent pixels are laid over mid grey; EXIF orientation is applied. Raises InputError.
    """
    import torch

    name = "image" if isinstance(source, bytes) else f"'{source}'"
    if not isinstance(source, bytes):
        check_file(source, "image")
    elif not source:
        raise InputError("image is empty (0 bytes); give another file")
    picture = _open_picture(source, name, size)
    if size is not None:
        picture = _cover(picture, *size)
    pixels = np.asarray(picture, dtype=np.float32) / 127.5 - 1.0
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def _open_picture(source: str | Path | bytes, name: str, size: tuple[int, int] | None) -> Image.Image:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
                if size is not None:  # a JPEG then decodes at 1/2, 1/4 or 1/8
                    picture.draft("RGB", (2 * size[1], 2 * size[0]))
                picture.load()
                return _to_rgb(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        return _first_video_frame(source, name)
    except Image.DecompressionBombError:
        raise InputError(f"image {name} has more than 178 megapixels; give a smaller copy") from None
    except (OSError, SyntaxError, ValueError, struct.error, MemoryError) as error:
        raise InputError(f"image {name} is damaged and cannot be decoded ({error}); give another file") from None


def _to_rgb(picture: Image.Image) -> Image.Image:
    from PIL import Image

    if picture.mode.startswith(("I", "F")):  # convert() would clip what is above 255
        values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
        top = next((t for t in (1.0, 255.0, 65535.0) if values.max() <= t), float(values.max()))
        top = 65535.0 if picture.mode.startswith("I;16") else top
        picture = Image.fromarray((np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        backdrop = Image.new("RGBA", picture.size, (*BACKDROP, 255))
        picture = Image.alpha_composite(backdrop, picture)
    return picture.convert("RGB")


def _cover(picture: Image.Image, height: int, width: int) -> Image.Image:
    from PIL import Image

    scale = min(picture.width / width, picture.height / height)
    w, h = width * scale, height * scale
    left, top = (picture.width - w) / 2, (picture.height - h) / 2
    return picture.resize((width, height), Image.Resampling.LANCZOS, (left, top, left + w, top + h), reducing_gap=3.0)


def _first_video_frame(source: str | Path | bytes, name: str) -> Image.Image:
    try:
        with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r") as container:
            for frame in container.decode(video=0):
                picture = frame.to_image()
                turn = round(getattr(frame, "rotation", 0) or 0)
                return picture.rotate(turn, expand=True) if turn else picture
    except (av.error.FFmpegError, OSError, IndexError, ValueError):
        pass
    raise InputError(f"{name} is not an image or video that can be read; give a PNG, JPEG, WebP or MP4 file")


# ---------------------------------------------------------------------------------------------- sound


class AudioReader:
    """Iterates over the sound of a file or pipe as `AudioBlock`s of whole video frames (640 samples at 16 kHz).

    source: path, '-' for standard input, or a binary file object. Decoding is streamed: memory stays flat.
    raw_format: 's16le:16000' or 's16le:48000:2' for headerless samples.
    start: samples (at sample_rate) to skip; the blocks then equal those of a reader that was read so far.
    The last block may be shorter. Raises InputError; a path is checked, and its first block decoded, on construction.
    """

    def __init__(
        self,
        source: str | Path | IO[bytes],
        sample_rate: int = 16000,
        raw_format: str | None = None,
        start: int = 0,
    ) -> None:
        if SOUND_RATE % sample_rate:
            raise ValueError(f"sample_rate must divide {SOUND_RATE}, got {sample_rate}")
        self.sample_rate = sample_rate
        self.duration: float | None = None
        self.peak = 0.0
        self.damaged = 0  # packets that could not be decoded
        self._ratio = SOUND_RATE // sample_rate
        self._block = sample_rate // 25
        is_path = isinstance(source, (str, Path)) and str(source) != "-"
        self.name = f"'{source}'" if is_path else "from standard input" if source == "-" else "stream"
        options = _raw_options(raw_format) if raw_format else None
        if is_path:
            self._container = self._open(str(check_file(source, "audio")), options)  # type: ignore[arg-type]
        else:
            pipe = _Pipe(source)  # type: ignore[arg-type]
            options = options or _wav_options(pipe)
            self._container = self._open(pipe, options)
        if not self._container.streams.audio:
            self._container.close()
            raise InputError(f"audio {self.name} has no sound track; give a file with sound")
        self._stream = self._container.streams.audio[0]
        if is_path and self._stream.duration and self._stream.time_base:
            self.duration = float(self._stream.duration * self._stream.time_base)
        elif is_path and self._container.duration:
            self.duration = self._container.duration / 1e6
        self._blocks = self._skip(self._pairs(), start)
        self._first = next(self._blocks, None) if is_path else None

    def __iter__(self) -> Iterator[AudioBlock]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        yield from self._blocks

    def close(self) -> None:
        self._container.close()

    def _open(self, file: Any, options: dict[str, str] | None) -> Any:
        try:
            if options is not None:
                options = dict(options)
                return av.open(file, format=options.pop("format"), options=options, buffer_size=4096)
            return av.open(file)
        except (av.error.FFmpegError, OSError, ValueError):
            if isinstance(file, _Pipe) and file.empty:
                raise InputError(f"audio {self.name} is empty; pipe a sound file or samples into it") from None
            raise InputError(
                f"audio {self.name} is not a sound file that can be read; give WAV, FLAC, MP3, Ogg, M4A or a video"
            ) from None

    def _decoded(self) -> Iterator[Any]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except av.error.InvalidDataError:
                    self.damaged += 1
        except (av.error.FFmpegError, OSError):  # a broken tail: what came before it counts
            self.damaged += 1

    def _pairs(self) -> Iterator[AudioBlock]:
        """Both resamplings cut at common points, so that a block's two tracks cover the same time."""
        mono, sound = _Fifo(1), _Fifo(2)
        total = 0
        for a, b in self._resampled():
            mono.put(a)
            sound.put(b if len(b) == 2 or not b.size else np.repeat(b, 2, 0))
            n = min(mono.length, sound.length // self._ratio) // self._block * self._block
            if n:
                total += n
                yield self._pair(mono.take(n), sound.take(n * self._ratio))
        if n := mono.length:  # the two tails differ by a few samples of rounding
            total += n
            rest = sound.take(min(n * self._ratio, sound.length))
            yield self._pair(mono.take(n), np.pad(rest, ((0, 0), (0, n * self._ratio - rest.shape[1]))))
        if not total:
            raise InputError(f"audio {self.name} holds no sound that can be decoded; give another file")

    def _pair(self, mono: np.ndarray, sound: np.ndarray) -> AudioBlock:
        mono, sound = (np.clip(np.nan_to_num(x), -1.0, 1.0) for x in (mono[0], sound))
        self.peak = max(self.peak, float(np.abs(mono).max()))
        return AudioBlock(mono, sound)

    def _resampled(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        key, pair = None, None
        for frame in self._decoded():
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if now != key:  # streams may change format half-way
                if pair is not None:
                    yield pair[0].run(None), pair[1].run(None)
                stereo = "stereo" if frame.layout.nb_channels > 1 else "mono"
                key, pair = now, (_Resampler(frame, self.sample_rate, "mono"), _Resampler(frame, SOUND_RATE, stereo))
            assert pair is not None
            yield pair[0].run(frame), pair[1].run(frame)
        if pair is not None:
            yield pair[0].run(None), pair[1].run(None)

    @staticmethod
    def _skip(blocks: Iterator[AudioBlock], start: int) -> Iterator[AudioBlock]:
        for mono, sound in blocks:
            if start >= len(mono):
                start -= len(mono)
                continue
            ratio = sound.shape[1] // len(mono)
            yield AudioBlock(mono[start:], sound[:, start * ratio :])
            start = 0


def read_sound(path: str | Path, sample_rate: int = 16000) -> np.ndarray:
    """All sound of a file at once: mono float32 (n,) in [-1, 1] at `sample_rate`. Raises InputError."""
    reader = AudioReader(path, sample_rate)
    try:
        return np.concatenate([block.mono for block in reader])
    finally:
        reader.close()


class _Resampler:
    """swresample at full float precision; rematrix_maxval keeps a downmix inside [-1, 1]."""

    def __init__(self, frame: Any, rate: int, layout: str) -> None:
        self.graph = graph = av.filter.Graph()
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        )
        resample = graph.add("aresample", f"{rate}:ochl={layout}:osf=fltp:rematrix_maxval=1")
        sink = graph.add("abuffersink")
        source.link_to(resample)
        resample.link_to(sink)
        graph.configure()
        self.channels = 2 if layout == "stereo" else 1

    def run(self, frame: Any | None) -> np.ndarray:
        """(channels, n) that came out for one frame in; None flushes."""
        if frame is not None:
            frame.pts = None  # the sample count is the clock; gaps in time stamps must not open holes
        self.graph.push(frame)
        out = []
        while True:
            try:
                out.append(self.graph.pull().to_ndarray())
            except (av.error.BlockingIOError, av.error.EOFError):
                return np.concatenate(out, 1) if out else np.zeros((self.channels, 0), np.float32)


class _Fifo:
    """Samples (channels, n) in, any number out."""

    def __init__(self, channels: int) -> None:
        self._parts: list[np.ndarray] = []
        self._empty = np.zeros((channels, 0), np.float32)
        self.length = 0

    def put(self, samples: np.ndarray) -> None:
        if samples.shape[1]:
            self._parts.append(samples)
            self.length += samples.shape[1]

    def take(self, n: int) -> np.ndarray:
        joined = np.concatenate(self._parts, 1) if self._parts else self._empty
        self._parts = [joined[:, n:]] if n < joined.shape[1] else []
        self.length = joined.shape[1] - n
        return joined[:, :n]


# ---------------------------------------------------------------------------------------------- pipes


class _Pipe:
    """A non-seekable source for PyAV: only `read`, returns what is there instead of waiting for all of n bytes."""

    def __init__(self, source: str | IO[bytes]) -> None:
        if source == "-":  # the raw descriptor: a thread blocked in it holds no lock at interpreter exit
            self._read = lambda n: os.read(0, n)
        else:
            self._read = getattr(source, "read1", None) or source.read  # type: ignore[union-attr]
        self._held = b""
        self._left: int | None = None
        self.empty = True

    def read(self, n: int = 65536) -> bytes:
        if self._left is not None:
            n = min(n, self._left)
        if not n:
            return b""
        if self._held:
            data, self._held = self._held[:n], self._held[n:]
        else:
            data = self._read(n)
        self.empty = self.empty and not data
        if self._left is not None:
            self._left -= len(data)
        return data

    def peek(self, n: int) -> bytes:
        while len(self._held) < n and (data := self._read(n - len(self._held))):
            self._held += data
            self.empty = False
        return self._held[:n]

    def start_at(self, offset: int, length: int | None) -> None:
        self._held, self._left = self._held[offset:], length


_PCM = {(1, 8): "u8", (1, 16): "s16le", (1, 24): "s24le", (1, 32): "s32le", (3, 32): "f32le", (3, 64): "f64le"}


def _wav_options(pipe: _Pipe) -> dict[str, str] | None:
    """Demuxer options for a PCM WAV on a pipe; None leaves the bytes to libav.

    libav's own WAV demuxer reads 64 KiB ahead to look for S/PDIF: two seconds of 16 kHz speech, too late for live use.
    """
    head = pipe.peek(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    at, form = 12, None
    while at < 1 << 16 and len(head := pipe.peek(at + 8)) == at + 8:
        kind, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8
        if kind == b"data":
            pcm = form and _PCM.get((form[0], form[3]))
            if not pcm:
                return None
            pipe.start_at(at, size if 0 < size < 0x7FFFFF00 else None)  # streamed WAVs do not know their size
            return {"format": pcm, "sample_rate": str(form[2]), "ch_layout": _layout(form[1])}  # type: ignore[index]
        body = pipe.peek(at + size)[at:]
        if kind == b"fmt " and len(body) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            form = (struct.unpack("<H", body[24:26])[0] if tag == 0xFFFE and size >= 26 else tag, channels, rate, bits)
        at += size + size % 2
    return None


def _raw_options(raw_format: str) -> dict[str, str]:
    """'s16le:16000[:channels]' as demuxer options."""
    parts = raw_format.split(":")
    known = sorted({*_PCM.values()})
    if len(parts) not in (2, 3) or parts[0] not in known or not all(p.isdigit() and int(p) for p in parts[1:]):
        raise InputError(
            f"audio format '{raw_format}' is not known; write s16le:16000 or s16le:48000:2 (also {', '.join(known)})"
        )
    return {"format": parts[0], "sample_rate": parts[1], "ch_layout": _layout(int(parts[2]) if len(parts) == 3 else 1)}


def _layout(channels: int) -> str:
    return {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(channels, f"{channels}c")
