"""Pictures and sound in, fragmented MP4 out. PyAV and Pillow only."""

from .read import AudioBlock, AudioReader, file_digest, read_image, read_sound
from .voices import mix
from .write import SegmentEncoder, SoundWindow, check_output, finalise, video_codecs

__all__ = [
    "AudioBlock",
    "AudioReader",
    "SegmentEncoder",
    "SoundWindow",
    "check_output",
    "file_digest",
    "finalise",
    "mix",
    "read_image",
    "read_sound",
    "video_codecs",
]
