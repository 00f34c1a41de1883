"""What drives the stream: audio, text, image, motion."""
