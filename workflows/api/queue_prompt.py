"""Make a talking video on a running ComfyUI: upload, queue, follow, download. Needs Python alone (--frames: PyAV).

python queue_prompt.py portrait.png speech.wav -o talk.mp4
python queue_prompt.py portrait.png speech.wav --prompt smiling --frames frames/    # pictures while it is made
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORKFLOW = Path(__file__).with_name("quick_start.json")


class Client:
    """One ComfyUI server. Its answers to requests are parsed JSON; RuntimeError with its words when it refuses."""

    def __init__(self, server: str) -> None:
        self.server, self.id = server.rstrip("/"), uuid.uuid4().hex

    def fetch(self, path: str, data: bytes | None = None, kind: str = "application/json") -> bytes:
        request = urllib.request.Request(self.server + path, data, {"Content-Type": kind} if data is not None else {})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.code} {error.read().decode(errors='replace')[:2000]}") from None
        except urllib.error.URLError as error:
            raise RuntimeError(f"no ComfyUI at {self.server} ({error.reason})") from None

    def json(self, path: str, value: Any = None) -> Any:
        """GET, or POST of a value."""
        return json.loads(self.fetch(path, None if value is None else json.dumps(value).encode()) or b"null")

    def upload(self, file: Path) -> str:
        """Put a picture or sound into the server's input folder; returns its name there."""
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="{self.id[:8]}_{file.name}"\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        return json.loads(self.fetch("/upload/image", body, f"multipart/form-data; boundary={edge}"))["name"]

    def run(self, prompt: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Queue `prompt` and yield what the server tells until it is done. RuntimeError when a node fails."""
        messages = self.messages()
        next(messages)  # listening, before there is anything to hear
        key = self.json("/prompt", {"prompt": prompt, "client_id": self.id})["prompt_id"]
        for message in messages:
            data = message.get("data") or {}
            if data.get("prompt_id", key) != key:
                continue
            yield message
            if message["type"] in ("execution_error", "execution_interrupted"):
                raise RuntimeError(f"{data['node_type']}: {data.get('exception_message', 'interrupted').strip()}")
            if message["type"] == "executing" and data.get("node") is None:
                return
        raise RuntimeError("the server closed the connection")

    def messages(self) -> Iterator[dict[str, Any]]:
        """The text messages of the server's web socket (RFC 6455), from the greeting on."""
        url = urllib.parse.urlsplit(self.server)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.netloc)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        upgrade["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
        connection.request("GET", f"{url.path}/ws?clientId={self.id}", headers=upgrade)
        answer = connection.getresponse()
        if answer.status != 101 or answer.fp is None:
            raise RuntimeError(f"the server refused the web socket ({answer.status})")
        with answer.fp as stream:
            while head := stream.read(2):
                size = head[1] & 127
                if size > 125:
                    size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
                body = stream.read(size)
                if head[0] & 15 == 1:  # text; pictures and progress text are binary
                    yield json.loads(body)
                elif head[0] & 15 == 8:
                    return


def workflow(image: str, audio: str, prompt: str, seed: int, name: str, resume: str = "") -> dict[str, Any]:
    """The quick start with these inputs; nodes are found by what they are."""
    nodes = json.loads(WORKFLOW.read_text())
    given = {
        "LoadImage": {"image": image},
        "LoadAudio": {"audio": audio},
        "EchoTorrent_Condition": {"prompt": prompt},
        "EchoTorrent_Stream": {"seed": seed},
        "EchoTorrent_SaveVideo": {"name": name, "resume": resume},
    }
    for node in nodes.values():
        node["inputs"].update(given.get(node["class_type"], {}))
    return nodes


def write_frames(client: Client, run: str, chunk: int, init: bytes, folder: Path) -> None:
    """The pictures of one committed chunk as numbered PNG files."""
    from io import BytesIO

    import av

    folder.mkdir(parents=True, exist_ok=True)
    with av.open(BytesIO(init + client.fetch(f"/echotorrent/runs/{run}/segments/{chunk}")), "r") as container:
        for i, frame in enumerate(container.decode(video=0)):
            frame.to_image().save(folder / f"{chunk:05d}_{i:03d}.png")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("audio", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("talk.mp4"))
    parser.add_argument("--prompt", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", default="", help="id of a run to go on with")
    parser.add_argument("--frames", type=Path, metavar="DIR", help="also write pictures as they are committed")
    parser.add_argument("--server", default="http://127.0.0.1:8188")
    args = parser.parse_args()
    client, init = Client(args.server), b""
    try:
        inputs = (client.upload(args.image), client.upload(args.audio), args.prompt, args.seed)
        for message in client.run(workflow(*inputs, args.output.stem, args.resume)):
            data = message.get("data") or {}
            if message["type"] == "echotorrent.event" and data["kind"] == "chunk":
                print(f"run {data['run']}: chunk {data['chunk']}", file=sys.stderr)
                if args.frames:
                    init = init or client.fetch(f"/echotorrent/runs/{data['run']}/init")
                    write_frames(client, data["run"], data["chunk"], init, args.frames)
            elif message["type"] == "executed" and "echotorrent_run" in (data.get("output") or {}):
                made = urllib.parse.urlencode(data["output"]["images"][0])
                args.output.write_bytes(client.fetch(f"/view?{made}"))
                print(args.output)
    except (RuntimeError, OSError) as error:
        print(f"queue_prompt: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
