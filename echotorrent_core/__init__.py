"""EchoTorrent: streaming, audio-driven avatar video. The engine, free of ComfyUI and of training."""

__version__ = "0.1.0"
