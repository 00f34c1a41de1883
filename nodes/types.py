"""The pack's own types on the wires between its nodes; lazy.py says what they carry."""

from .host import io

Model = io.Custom("ECHOTORRENT_MODEL")
Audio = io.Custom("ECHOTORRENT_AUDIO")
Conditioning = io.Custom("ECHOTORRENT_CONDITIONING")
Stream = io.Custom("ECHOTORRENT_STREAM")
Frames = io.Custom("ECHOTORRENT_FRAMES")
