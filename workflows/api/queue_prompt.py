"""Make a talking video on a running ComfyUI: upload, queue, follow, download. Needs Python alone (--frames: PyAV).

python queue_prompt.py portrait.png speech.wav -o talk.mp4 --prompt smiling --frames frames/  # pictures as they come
python queue_prompt.py left.png one.wav --workflow two_speakers.json --set 2.image=@right.png --set 5.audio=@two.wav
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
from io import BytesIO
from pathlib import Path
from typing import Any

WORKFLOW = Path(__file__).with_name("quick_start.json")
INPUTS: tuple[str, ...] = ("LoadImage.image", "LoadAudio.audio", "EchoTorrent_Condition.prompt")
INPUTS += ("EchoTorrent_Stream.seed", "EchoTorrent_SaveVideo.name", "EchoTorrent_SaveVideo.resume")


class Client:
    """One ComfyUI server. Its answers to requests are parsed JSON; RuntimeError with its words when it refuses."""

    def __init__(self, server: str) -> None:
        self.server, self.id = server.rstrip("/"), uuid.uuid4().hex

    def fetch(self, path: str, data: bytes | None = None, kind: str = "application/json") -> bytes:
        request = urllib.request.Request(self.server + path, data, {"Content-Type": kind} if data is not None else {})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except urllib.error.URLError as error:
            words = error.read().decode(errors="replace") if isinstance(error, urllib.error.HTTPError) else error.reason
            raise RuntimeError(f"{self.server}{path}: {str(words)[:2000]}") from None

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
        connection = getattr(http.client, f"{url.scheme.upper()}Connection")(url.netloc)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        upgrade["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
        connection.request("GET", f"{url.path}/ws?clientId={self.id}", headers=upgrade)
        answer = connection.getresponse()
        if answer.status != 101:
            raise RuntimeError(f"the server refused the web socket ({answer.status})")
        while head := answer.fp.read(2):
            size = head[1] & 127
            size = int.from_bytes(answer.fp.read(2 if size == 126 else 8), "big") if size > 125 else size
            body = answer.fp.read(size)
            if head[0] & 15 == 1:  # text; pictures and progress text are binary
                yield json.loads(body)


def put(nodes: dict[str, Any], where: str, value: Any) -> None:
    """Set an input: `where` is NODE.INPUT, the node by its id or the first of its type; text becomes what it was."""
    name, _, key = where.partition(".")
    node = nodes.get(name) or next((node for node in nodes.values() if node["class_type"] == name), None)
    if node is None:
        raise RuntimeError(f"the workflow has no node {name}, so '{where}' cannot be set")
    kept = isinstance(node["inputs"].get(key, ""), str) or not isinstance(value, str)
    node["inputs"][key] = value if kept else json.loads(value)


def workflow(*values: Any, path: Path = WORKFLOW) -> dict[str, Any]:
    """An API workflow with so many of the `INPUTS`; None leaves what the file says."""
    nodes = json.loads(path.read_text())
    for where, value in zip(INPUTS, values, strict=False):
        if value is not None:
            put(nodes, where, value)
    return nodes


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs=2, metavar="FILE", help="a portrait and speech")
    parser.add_argument("-o", "--output", type=Path, default=Path("talk.mp4"))
    parser.add_argument("--workflow", type=Path, default=WORKFLOW, help="in API format (default: the quick start)")
    for name in ("prompt", "seed", "resume"):
        parser.add_argument(f"--{name}", help="default: the workflow's")
    parser.add_argument("--set", action="append", default=[], metavar="NODE.INPUT=VALUE", help="@FILE is uploaded")
    parser.add_argument("--frames", type=Path, metavar="DIR", help="also write pictures as they are committed")
    parser.add_argument("--server", default="http://127.0.0.1:8188")
    args = parser.parse_args()
    client, videos = Client(args.server), []
    nodes = workflow(*map(client.upload, args.files), args.prompt, args.seed, None, args.resume, path=args.workflow)
    for where, _, value in (word.partition("=") for word in args.set):
        put(nodes, where, client.upload(Path(value[1:])) if value[:1] == "@" else value)
    for message in client.run(nodes):
        data = message.get("data") or {}
        if message["type"] == "echotorrent.event" and data["kind"] == "chunk":
            print(f"run {data['run']}: chunk {data['chunk']}", file=sys.stderr)
            if args.frames:
                write_frames(client, data["run"], data["chunk"], args.frames)
        elif message["type"] == "executed":
            videos += [f for f in (data.get("output") or {}).get("images", []) if f["filename"].endswith(".mp4")]
    if not videos:
        raise RuntimeError("the workflow saved no video")
    args.output.write_bytes(client.fetch(f"/view?{urllib.parse.urlencode(videos[-1])}"))
    print(args.output)


def write_frames(client: Client, run: str, chunk: int, folder: Path) -> None:
    """The pictures of one committed chunk as numbered PNG files."""
    import av

    parts = [client.fetch(f"/echotorrent/runs/{run}/{part}") for part in ("init", f"segments/{chunk}")]
    folder.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(av.open(BytesIO(b"".join(parts)), "r").decode(video=0)):
        frame.to_image().save(folder / f"{chunk:05d}_{i:03d}.png")


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, OSError, ValueError) as error:
        sys.exit(f"queue_prompt: {error}")
