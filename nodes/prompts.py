"""Prompts that change with time: "0: smiling / 4.5: looks left"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..echotorrent_core.errors import InputError

_TIMED = re.compile(r"\s*(?:(\d+):)?(\d+(?:\.\d+)?)\s*:(.*)", re.DOTALL)


@dataclass(frozen=True)
class Schedule:
    """Prompts and the seconds from which they hold, ascending from 0."""

    entries: tuple[tuple[float, str], ...]

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read "seconds: prompt / seconds: prompt" (or one per line; minutes:seconds too). Text without a time is one
        prompt for all of it. InputError for times that do not ascend and for parts without one."""
        parts = [part.strip() for part in re.split(r"[/\n]", text) if part.strip()]
        times = [_TIMED.fullmatch(part) for part in parts]
        if not any(times[1:]) and not (parts and times[0]):
            return cls(((0.0, text.strip()),))
        entries: list[tuple[float, str]] = []
        for i, (part, found) in enumerate(zip(parts, times, strict=True)):
            if found is None and i:
                raise InputError(f"prompt '{part}' has no time; write it as in '0: smiling / 4.5: looks left'")
            at = 0.0 if found is None else 60 * int(found[1] or 0) + float(found[2])
            if entries and at <= entries[-1][0]:
                raise InputError(f"prompt at {at:g} s comes after the one at {entries[-1][0]:g} s; put later ones last")
            entries.append((at, part if found is None else found[3].strip()))
        if entries[0][0] > 0:
            entries.insert(0, (0.0, ""))
        return cls(tuple(entries))

    def at(self, seconds: float) -> str:
        """The prompt of a chunk that begins at `seconds`."""
        return next(prompt for start, prompt in reversed(self.entries) if start <= seconds + 1e-6)
