"""Jobs, datasets and clips of the stand-in for the routes of training, with numbers that are always the same."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import time
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw

CHECKPOINT_EVERY = 50
FORM: dict[str, Any] = {
    "type": "object",
    "title": "Identity",
    "description": "Teaches the shipped model a person. Minutes on a CPU.",
    "properties": {
        "steps": {
            **{"type": "integer", "title": "Steps", "default": 400, "minimum": 10, "maximum": 20_000},
            "description": "How long it learns. More steps look more like the person, and cost time.",
        },
        "rate": {
            **{"type": "number", "title": "Learning rate", "default": 0.0002, "exclusiveMinimum": 0, "maximum": 0.01},
            "description": "How far each step goes. Too much, and the mouth suffers.",
        },
        "face": {
            **{"type": "boolean", "title": "Refine the face", "default": True},
            "description": "Also trains the decoder on the face, which costs a third more time.",
        },
        "rank": {
            **{"type": "integer", "title": "Rank", "default": 16, "enum": [4, 8, 16, 64], "group": "advanced"},
            "description": "Size of the LoRA. Larger ones hold more detail and need more memory.",
        },
        "prior": {
            **{"type": "number", "title": "Prior preservation", "default": 1.0, "minimum": 0, "maximum": 10},
            **{"group": "advanced", "description": "How much it clings to what the model could do before."},
        },
    },
}
FILES_FORM = {
    **FORM,
    "description": "Teaches a published model a person. Hours on a GPU.",
    "properties": {
        "steps": FORM["properties"]["steps"],
        "weights": {
            **{"type": "array", "items": {"type": "string"}, "title": "Weights", "default": [], "group": "advanced"},
            "description": "Files of the base model, such as models/diffusion_models/base.safetensors; one per line.",
        },
    },
}
OPTIONS: dict[str, Any] = {
    "presets": [{"name": "embedded", "schema": FORM}, {"name": "echotorrent_14b", "schema": FILES_FORM}],
    "devices": [
        {"id": "cpu", "name": "CPU, 8 threads", "free_bytes": 8 << 30, "total_bytes": 16 << 30},
        {"id": "cuda:0", "name": "Some GPU", "free_bytes": 20 << 30, "total_bytes": 24 << 30},
    ],
    "limits": {"upload_bytes": 5_000_000, "clips": 200, "name_length": 64, "seconds": 60.0},
    "media": [".mp4", ".mov", ".webm", ".png", ".jpg"],
    "folders": ["input", "output"],
    "problem": None,
}
FAULTS = {  # words in a clip's name that are then found wrong with it
    "no face": "no face was found in it",
    "too dark": "its face has a brightness of 0.04; 0.15 are needed",
    "silent": "its sound is at -80 dB; speech is above -50",
    "too short": "lasts 0.60 s; 2.00 s are needed",
}


def key_of(kind: str, number: int) -> str:
    return f"{kind}{number:015x}"


def noise(name: str, step: int) -> float:
    """In [-1, 1), the same on every machine."""
    return hashlib.sha256(f"{name} {step}".encode()).digest()[0] / 128 - 1


def still() -> str:
    """A picture as an address."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 160, 140)).save(file, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


@dataclass
class FakeJob:
    """A job with what its worker has written."""

    id: str
    kind: str = "identity"
    name: str = ""
    state: str = "queued"
    dataset: str = ""
    device: str = "cpu"
    parent: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    place: float = 0.0
    step: int = 0
    total: int = 400
    runs: int = 0
    reason: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
    log: str = ""
    samples: dict[str, float] = field(default_factory=dict)  # name without ending -> when it was made
    saved: dict[int, float] = field(default_factory=dict)  # step -> when
    pending: list[str] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)

    def move(self, state: str, reason: str = "", place: float | None = None) -> None:
        now = time.time()
        if state == "running":
            self.runs, self.started = self.runs + 1, now
            self.log += f"run {self.runs} on {self.device}\n"
        elif state == "queued":
            self.place = now if place is None else place
        else:
            self.ended = now
            self.log += f"{state}\n"
        self.state, self.reason = state, reason

    def train(self) -> None:
        self.step += 1
        loss = 0.4 * math.exp(-self.step / 120) + 0.06 + 0.02 * noise("loss", self.step)
        prior = 0.09 + 0.01 * noise("prior", self.step)
        line = {"step": self.step, "time": time.time(), "loss": round(loss, 5), "prior_loss": round(prior, 5)}
        self.lines.append({**line, "rate": 0.0002 * min(1, self.step / 40), "seconds": 0.9})
        self.log += f"step {self.step} loss {loss:.4f}\n"

    def go_back(self) -> None:
        """As a worker that goes on from the last checkpoint: later lines are gone."""
        self.step = max(self.saved, default=0)
        self.lines = self.lines[: self.step]

    def save(self) -> None:
        self.saved[self.step] = time.time()

    def sample(self) -> None:
        self.samples[f"step-{self.step:08d}"] = time.time()

    def metrics_after(self, after: int) -> dict[str, Any]:
        lines = self.lines[after : after + 1000]
        more = after + len(lines) < len(self.lines)
        return {"runs": self.runs, "n": min(after, len(self.lines)) + len(lines), "more": more, "lines": lines}

    def log_after(self, after: int) -> dict[str, Any]:
        data = self.log.encode()
        begin = max(0, len(data) + after if after < 0 else after)
        return {"text": data[begin:].decode(), "next": len(data), "size": len(data)}

    def samples_said(self) -> list[dict[str, Any]]:
        steps = {name: int(name.removeprefix("step-")) for name in self.samples}
        return [
            {
                **{"file": f"{name}.mp4", "bytes": 1000, "modified": made},
                **(
                    {"step": None, "label": name}
                    if self.kind == "compare"
                    else {"step": steps[name], "label": "reference"}
                ),
            }
            for name, made in self.samples.items()
        ]

    def checkpoints(self) -> list[dict[str, Any]]:
        return [
            {
                **{"value": f"job/{self.id}/step-{step:08d}.safetensors", "file": f"step-{step:08d}.safetensors"},
                **{"source": "job", "job": self.id, "name": self.name, "step": step, "preset": "embedded"},
                **{"bytes": 2_345_678, "modified": made, "preview": still(), "metadata": {}},
            }
            for step, made in self.saved.items()
        ]

    def said(self, position: int | None) -> dict[str, Any]:
        running = self.state == "running"
        last = {key: value for key, value in (self.lines or [{}])[-1].items() if key not in ("step", "time")}
        return {
            **{"id": self.id, "kind": self.kind, "name": self.name, "state": self.state, "device": self.device},
            **{"position": position, "preset": "embedded", "dataset": self.dataset, "parent": self.parent},
            **{"settings": self.settings, "created": self.created, "started": self.started, "ended": self.ended},
            **{"updated": self.created + self.step + self.runs, "phase": "training" if running else ""},
            **{"step": self.step, "total": self.total, "metrics": last, "reason": self.reason, "runs": self.runs},
            "seconds_left": 0.9 * (self.total - self.step) if running and self.step else None,
            "resume_step": max(self.saved, default=None),
            **{"pending": list(self.pending), "pid": 4242 if running else None, "result": {}},
        }


@dataclass
class FakeClip:
    file: str
    data: bytes
    begin: float = 0.0
    end: float | None = None
    caption: str = ""
    use: bool = True
    verdict: dict[str, Any] | None = None

    @property
    def still(self) -> bool:
        return self.file.endswith((".png", ".jpg"))

    def look(self) -> None:
        reason = next((word for word in FAULTS if word in self.file), "")
        self.verdict = {"usable": not reason, "reason": reason, "sentence": FAULTS.get(reason, ""), "seconds": 7.68}

    def change(self, what: dict[str, Any]) -> dict[str, Any]:
        for key, value in what.items():
            setattr(self, key, value)
        if "begin" in what or "end" in what:
            self.verdict = None
        return self.said()

    def said(self) -> dict[str, Any]:
        return {
            **{
                "file": self.file,
                "kind": "still" if self.still else "video",
                "bytes": len(self.data),
                "begin": self.begin,
            },
            **{"end": self.end, "caption": self.caption, "use": self.use, "thumbnail": self.verdict is not None},
            "verdict": self.verdict,
        }

    def thumbnail(self) -> bytes:
        """A face of sorts, in a light of its own."""
        light = 40 if "dark" in self.file else 140 + 80 * noise(self.file, 0)
        picture = Image.new("RGB", (144, 144), (int(light) // 2, int(light) // 2, int(light)))
        draw = ImageDraw.Draw(picture)
        if "no face" not in self.file:
            draw.ellipse((42, 30, 102, 110), fill=(int(light), int(0.8 * light), int(0.7 * light)))
            draw.ellipse((62, 84, 82, 92), fill=(120, 30, 30))
        file = io.BytesIO()
        picture.save(file, "JPEG")
        return file.getvalue()


@dataclass
class FakeDataset:
    id: str
    name: str
    created: float = 0.0
    clips: dict[str, FakeClip] = field(default_factory=dict)

    def usable(self) -> int:
        return sum(clip.use and (clip.verdict is None or clip.verdict["usable"]) for clip in self.clips.values())

    def said(self, busy: bool) -> dict[str, Any]:
        return {
            **{"id": self.id, "name": self.name, "created": self.created, "busy": busy, "usable": self.usable()},
            **{"clips": [clip.said() for clip in self.clips.values()]},
            "bytes": sum(len(clip.data) for clip in self.clips.values()),
        }
