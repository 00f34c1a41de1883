"""Reading odd pictures and sounds, and fragments that join without a seam."""

from __future__ import annotations

import io
import os
import threading
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from fakes import speech
from PIL import Image

from echotorrent_core.errors import InputError
from echotorrent_core.media import AudioReader, SegmentEncoder, SoundWindow, finalise, read_image, read_sound
from echotorrent_core.media.read import _Pipe

SIZE = (32, 48)

# ---- pictures


def gradient(width: int = 60, height: int = 40) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // (width - 1), y * 255 // (height - 1), np.full_like(x, 90)], -1).astype(np.uint8)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def odd_pictures() -> dict[str, bytes]:
    base = Image.fromarray(gradient())
    red = gradient()[..., 0]
    rgba = base.convert("RGBA")
    palette = base.quantize(64)
    return {
        "cmyk": encoded(base.convert("CMYK"), "JPEG", quality=95),
        "alpha": encoded(rgba),
        "palette": encoded(palette),
        "palette-transparent": encoded(palette, transparency=0),
        "grey": encoded(base.convert("L")),
        "grey-alpha": encoded(base.convert("LA")),
        "one-bit": encoded(base.convert("1")),
        "16-bit": encoded(Image.fromarray(red.astype(np.uint16) * 257)),
        "float": encoded(Image.fromarray(red.astype(np.float32) / 255), "TIFF"),
        "webp": encoded(base, "WEBP", lossless=True),
        "gif": encoded(palette, "GIF"),
        "1x1": encoded(Image.new("RGB", (1, 1), (255, 0, 0))),
        "1x500": encoded(Image.new("RGB", (1, 500), (255, 0, 0))),
        "huge": encoded(Image.new("RGB", (9000, 8000), (255, 0, 0)), "JPEG"),
    }


@pytest.mark.parametrize("name", odd_pictures())
def test_any_picture_reads(name: str) -> None:
    image = read_image(odd_pictures()[name], SIZE)
    assert image.shape == (3, *SIZE) and image.dtype == torch.float32
    assert image.min() >= -1 and image.max() <= 1
    if "x" in name or name == "huge":
        assert image[0].mean() > 0.95 and image[1].mean() < -0.95


def test_sixteen_bits_and_colours_keep_their_values() -> None:
    red = gradient()[..., 0]
    deep = read_image(encoded(Image.fromarray(red.astype(np.uint16) * 257)))
    assert torch.allclose(deep[0], torch.from_numpy(red / 127.5 - 1).float(), atol=0.01)
    exact = read_image(encoded(Image.fromarray(gradient())))
    assert torch.equal(exact, torch.from_numpy(gradient() / np.float32(127.5) - 1).float().permute(2, 0, 1))


def test_transparent_pixels_become_mid_grey() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert read_image(encoded(clear)).abs().max() < 0.01


def test_orientation_cover_and_centre_crop() -> None:
    picture = Image.new("RGB", (40, 20))
    picture.paste((255, 255, 255), (0, 0, 10, 20))  # white left quarter
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right: turn by 90 degrees clockwise
    turned = read_image(encoded(picture, "PNG", exif=exif))
    assert turned.shape == (3, 40, 20) and turned[0, 5].mean() > 0.9 and turned[0, 35].mean() < -0.9
    cropped = read_image(encoded(picture), (20, 20))  # the white quarter is cut away
    assert cropped.max() < -0.9


def test_first_frame_of_a_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, sound=False)
    image = read_image(path, SIZE)
    assert image.shape == (3, *SIZE) and image[1].mean() > 0.2 > image[0].mean()


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"", "empty"), (b"hello", "not an image"), (encoded(Image.new("RGB", (64, 64)))[:60], "damaged")],
)
def test_bad_pictures_are_one_sentence(data: bytes, word: str, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(data)
    for source in (data, path):
        with pytest.raises(InputError, match=word) as caught:
            read_image(source)
        assert "\n" not in str(caught.value)
    for wrong in (tmp_path / "none.png", tmp_path):
        with pytest.raises(InputError):
            read_image(wrong)


def test_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(InputError, match="megapixels"):
        read_image(encoded(Image.new("RGB", (100, 100))))


# ---- sound


def write_clip(path: Path, sound: bool = True, video: bool = True) -> None:
    with av.open(str(path), "w") as container:
        if video:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        if sound:
            audio = container.add_stream("aac", rate=44100)
            audio.layout = "stereo"
        if video:
            for _ in range(25):
                container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 64), (40, 200, 40)))))
            container.mux(stream.encode(None))
        if sound:
            mono = speech(1.0)[1][0, ::1][:44100]
            for at in range(0, 44100 - 1024, 1024):
                frame = av.AudioFrame.from_ndarray(np.stack([mono[at : at + 1024]] * 2), "fltp", "stereo")
                frame.sample_rate, frame.pts, frame.time_base = 44100, at, Fraction(1, 44100)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))


def wav(rate: int, channels: int = 1, seconds: float = 1.0, width: int = 2) -> bytes:
    t = np.arange(round(rate * seconds)) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * t)
    scaled = np.repeat(tone[:, None], channels, 1)
    raw = {
        1: lambda: (scaled * 127 + 128).astype("u1").tobytes(),
        2: lambda: (scaled * 32767).astype("<i2").tobytes(),
        4: lambda: (scaled * (2**31 - 1)).astype("<i4").tobytes(),
    }[width]()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(raw)
    return file.getvalue()


def read_all(reader: AudioReader) -> tuple[np.ndarray, np.ndarray]:
    blocks = list(reader)
    for mono, sound in blocks:
        assert mono.dtype == sound.dtype == np.float32 and sound.shape == (2, 3 * len(mono))
    assert all(len(block.mono) % 640 == 0 for block in blocks[:-1])
    return np.concatenate([b.mono for b in blocks]), np.concatenate([b.sound for b in blocks], 1)


@pytest.mark.parametrize(
    ("rate", "channels", "width"),
    [
        (8000, 1, 2),
        (11025, 1, 1),
        (16000, 1, 2),
        (22050, 2, 2),
        (44100, 2, 4),
        (48000, 6, 2),
        (96000, 2, 2),
        (48000, 8, 2),
    ],
)
def test_any_rate_and_channels(tmp_path: Path, rate: int, channels: int, width: int) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(wav(rate, channels, 2.0, width))
    reader = AudioReader(path)
    assert reader.duration == pytest.approx(2.0, abs=0.01)
    mono, sound = read_all(reader)
    assert abs(len(mono) - 32000) <= 2
    for track, track_rate in ((mono, 16000), (sound[0], 48000), (sound[1], 48000)):
        true = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(track)) / track_rate)
        middle = slice(track_rate // 10, -track_rate // 10)
        assert np.abs(track - true)[middle].max() < (0.02 if width == 1 else 0.005)  # level and time both kept


def test_sixteen_kilohertz_mono_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(wav(16000))
    true = np.frombuffer(wav(16000)[44:], "<i2") / np.float32(32768)
    assert np.array_equal(read_all(AudioReader(path))[0], true)


@pytest.mark.parametrize("start", [0, 1, 640, 12345, 31999, 32000, 50000])
def test_start_equals_reading_on(tmp_path: Path, start: int) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(wav(44100, 2, 2.0))
    mono, sound = read_all(AudioReader(path))
    rest = list(AudioReader(path, start=start))
    assert np.array_equal(np.concatenate([np.zeros(0, "f4"), *(b.mono for b in rest)]), mono[start:])
    assert np.array_equal(np.concatenate([np.zeros((2, 0), "f4"), *(b.sound for b in rest)], 1), sound[:, 3 * start :])


def test_sound_of_a_video_and_other_containers(tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.mkv", "clip.mov"):
        write_clip(tmp_path / name)
        mono, _ = read_all(AudioReader(tmp_path / name))
        assert 15000 < len(mono) < 17000 and np.abs(mono).max() > 0.1
        assert np.array_equal(read_sound(tmp_path / name), mono)


def test_bad_sound_is_one_sentence(tmp_path: Path) -> None:
    write_clip(tmp_path / "silent.mp4", sound=False)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "noise.wav").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "header.wav").write_bytes(wav(16000)[:44])
    cases = {"silent.mp4": "no sound", "empty.wav": "empty", "noise.wav": "not a sound file", "header.wav": "no sound"}
    cases |= {"missing.wav": "not found", ".": "not a file"}
    for name, word in cases.items():
        with pytest.raises(InputError, match=word) as caught:
            AudioReader(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="s16le:16000"):
        AudioReader(tmp_path / "x", raw_format="mp3")


def test_truncated_sound_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav(16000)[:20000])
    assert len(read_all(AudioReader(path))[0]) == (20000 - 44) // 2


@pytest.mark.parametrize("unknown_length", [False, True])
def test_wav_on_a_pipe_arrives_while_it_is_written(unknown_length: bool) -> None:
    data = bytearray(wav(16000, 1, 3.0))
    if unknown_length:
        data[4:8] = data[40:44] = b"\xff" * 4
    inlet, outlet = os.pipe()
    with os.fdopen(inlet, "rb") as source, os.fdopen(outlet, "wb", 0) as sink:
        sink.write(data[: 44 + 16000])  # half a second, and the pipe stays open
        blocks = iter(AudioReader(source))
        first = next(blocks)
        assert 640 <= len(first.mono) <= 8000
        thread = threading.Thread(target=lambda: (sink.write(data[44 + 16000 :]), sink.close()))
        thread.start()
        mono = np.concatenate([first.mono, *(b.mono for b in blocks)])
        thread.join()
    assert np.array_equal(mono, np.frombuffer(wav(16000, 1, 3.0)[44:], "<i2") / np.float32(32768))


def test_other_containers_and_raw_samples_on_a_pipe(tmp_path: Path) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise OSError("pipe")

    write_clip(tmp_path / "clip.mkv", video=False)
    mono, _ = read_all(AudioReader(Unseekable((tmp_path / "clip.mkv").read_bytes())))
    assert 15000 < len(mono) < 17000
    raw = wav(16000)[44:]
    mono, _ = read_all(AudioReader(Unseekable(raw), raw_format="s16le:16000"))
    assert np.array_equal(mono, np.frombuffer(raw, "<i2") / np.float32(32768))
    with pytest.raises(InputError, match="empty"):
        AudioReader(Unseekable(b""))


def test_pipe_stops_at_the_end_of_wav_data() -> None:
    trailing = wav(16000) + b"LIST\x04\0\0\0junk"
    assert len(read_all(AudioReader(io.BytesIO(trailing)))[0]) == 16000
    assert _Pipe(io.BytesIO(b"abc")).peek(9) == b"abc"


# ---- fragments


def fragments(seconds: float, size: tuple[int, int] = (32, 32)) -> tuple[list[bytes], np.ndarray, np.ndarray]:
    encoder = SegmentEncoder(size)
    sound = speech(seconds)[1]
    count = sound.shape[1] // 1920
    sound = sound[:, : count * 1920]
    shade = (np.arange(count) * 7 % 256).astype(np.uint8)
    frames = np.broadcast_to(shade[:, None, None, None], (count, *size, 3))
    parts, first, index = [encoder.init()], 0, 0
    while first < count:
        last = min(count, first + (13 if index == 0 else 16))
        start = encoder.context_start(first)
        parts.append(encoder.chunk(index, first, frames[first:last], SoundWindow(start, sound[:, start : last * 1920])))
        first, index = last, index + 1
    start = encoder.context_start(count)
    parts.append(encoder.closing(index, count, SoundWindow(start, sound[:, start:])))
    return parts, frames, sound


def decode(source: object) -> tuple[list[np.ndarray], list[Fraction], np.ndarray, list[Fraction]]:
    with av.open(source) as container:
        video = [(f.to_ndarray(format="rgb24"), f.pts * f.time_base) for f in container.decode(video=0)]
    if hasattr(source, "seek"):
        source.seek(0)
    with av.open(source) as container:
        audio = [(f.to_ndarray(), f.pts * f.time_base) for f in container.decode(audio=0)]
    return [v for v, _ in video], [t for _, t in video], np.concatenate([a for a, _ in audio], 1), [t for _, t in audio]


def test_fragments_join_without_a_seam(tmp_path: Path) -> None:
    parts, frames, sound = fragments(8.3)
    paths = []
    for i, part in enumerate(parts):
        paths.append(tmp_path / f"{i:05d}")
        paths[-1].write_bytes(part)
    plain = finalise(paths, tmp_path / "out.mp4")
    unbroken = encode_whole(sound)
    floor = np.sqrt(np.mean((unbroken - sound) ** 2))
    for source in (io.BytesIO(b"".join(parts)), str(plain)):
        pictures, times, heard, sound_times = decode(source)
        assert times == [Fraction(i, 25) for i in range(len(frames))]  # every frame, at its time
        means = np.array([p.mean() for p in pictures])
        assert np.abs(means - frames[:, 0, 0, 0]).max() < 3
        assert sound_times[0] == 0 and set(np.diff(sound_times)) == {Fraction(1024, 48000)}
        assert 0 <= heard.shape[1] - sound.shape[1] < 1024
        error = (heard[:, : sound.shape[1]] - sound)[0]
        assert np.sqrt(np.mean(error**2)) < 1.2 * floor + 1e-4  # as good as one encoder for all; no shift in time
        for i in range(1, len(parts) - 2):  # and no worse where two encoders meet
            seam = (13 + 16 * (i - 1)) * 1920 // 1024 * 1024 - 2048
            here = slice(seam - 1024, seam + 2048)
            theirs = np.sqrt(np.mean((unbroken - sound)[0, here] ** 2))
            assert np.sqrt(np.mean(error[here] ** 2)) < 2 * theirs + 2 * floor


def encode_whole(sound: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000)
        stream.layout, stream.bit_rate = "stereo", 160_000
        padded = np.pad(sound, ((0, 0), (0, -sound.shape[1] % 1024)))
        for at in range(0, padded.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(padded[:, at : at + 1024]), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], 1)[:, : sound.shape[1]]


def test_a_click_stays_where_it_is() -> None:
    encoder = SegmentEncoder((32, 32))
    sound = np.zeros((2, 45 * 1920), np.float32)
    at = 60_000
    sound[:, at : at + 8] = 0.9
    frames = np.zeros((45, 32, 32, 3), np.uint8)
    parts = [encoder.init()]
    for index, (a, b) in enumerate([(0, 13), (13, 29), (29, 45)]):
        start = encoder.context_start(a)
        parts.append(encoder.chunk(index, a, frames[a:b], SoundWindow(start, sound[:, start : b * 1920])))
    heard = decode(io.BytesIO(b"".join(parts)))[2]
    assert abs(int(np.abs(heard[0]).argmax()) - at - 4) < 48  # within a millisecond


def test_fragment_is_a_pure_function() -> None:
    assert fragments(2.0)[0] == fragments(2.0)[0]
    encoder = SegmentEncoder((32, 32))
    sound = speech(3.0)[1]
    frames = np.zeros((16, 32, 32, 3), np.uint8)
    start = encoder.context_start(29)
    whole = encoder.chunk(2, 29, frames, SoundWindow(0, sound))
    assert whole == encoder.chunk(2, 29, frames, SoundWindow(start, sound[:, start : 45 * 1920]))


def test_encoder_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="even"):
        SegmentEncoder((33, 32))
    encoder = SegmentEncoder((32, 32))
    with pytest.raises(ValueError, match="uint8"):
        encoder.chunk(0, 0, np.zeros((13, 32, 32, 3), np.float32), SoundWindow(0, np.zeros((2, 24960), np.float32)))
    with pytest.raises(ValueError, match="sound"):
        encoder.chunk(0, 0, np.zeros((13, 32, 32, 3), np.uint8), SoundWindow(0, np.zeros((2, 100), np.float32)))


def test_finalise_keeps_the_old_file_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts, _, _ = fragments(1.0)
    paths = [tmp_path / f"{i}" for i in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(part)
    out = tmp_path / "out.mp4"
    out.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match=r"No space left.*kept in 'RUN'"):
        finalise(paths, out, kept="RUN")
    assert out.read_bytes() == b"old" and sorted(p.name for p in tmp_path.glob("*partial*")) == []
    for bad in ("out.txt", "."):
        with pytest.raises(InputError):
            finalise(paths, tmp_path / bad)
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(InputError, match="cannot write into"):
        finalise(paths, blocker / "out.mp4")
