"""The few MP4 boxes a live stream needs: movie fragments (ISO/IEC 14496-12, 8.8), NAL units with lengths (14496-15)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEY, DEPENDS = 0x02000000, 0x01010000  # sample flags: depends on nothing / depends on others and is no sync sample


@dataclass(frozen=True)
class Track:
    """Samples of one track in one fragment: start and duration of each in the track's time scale.

    key_first: only the first sample is a sync sample (video); otherwise all are.
    """

    number: int
    start: int
    duration: int
    samples: list[bytes]
    key_first: bool = False


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def fragment(sequence: int, tracks: list[Track]) -> bytes:
    """`moof` + `mdat` with the given tracks, data in track order."""

    def moof(offset: int) -> bytes:
        parts = [full_box(b"mfhd", 0, 0, struct.pack(">I", sequence))]
        for track in tracks:
            parts.append(_traf(track, offset))
            offset += sum(map(len, track.samples))
        return box(b"moof", *parts)

    size = len(moof(0))  # data offsets count from the start of moof, whose size does not depend on them
    return moof(size + 8) + box(b"mdat", *(sample for track in tracks for sample in track.samples))


def _traf(track: Track, offset: int) -> bytes:
    flags = DEPENDS if track.key_first else KEY
    # tfhd: default-base-is-moof, default duration and flags; trun: data offset, first sample's flags, sizes
    header = full_box(b"tfhd", 0, 0x020028, struct.pack(">III", track.number, track.duration, flags))
    time = full_box(b"tfdt", 1, 0, struct.pack(">Q", track.start))
    count = len(track.samples)
    run = full_box(b"trun", 0, 0x205, struct.pack(f">III{count}I", count, offset, KEY, *map(len, track.samples)))
    return box(b"traf", header, time, run)


def length_prefixed(annex_b: bytes) -> bytes:
    """H.264 access unit with start codes -> four-byte lengths."""
    units = [u.rstrip(b"\0") for u in annex_b.split(b"\0\0\1")[1:]]
    return b"".join(struct.pack(">I", len(u)) + u for u in units)


def head(data: bytes) -> bytes:
    """All boxes up to and including `moov`."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        at += size
        if kind == b"moov":
            return data[:at]
    raise ValueError("no moov box in the initialisation segment")
