"""Tuning a model to one person: clips in, a small identity file out."""
