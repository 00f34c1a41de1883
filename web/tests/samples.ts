import type { Http } from "../src/http";
import type { RunEvent, Snapshot } from "../src/runs/types";

export const snapshot = (change: Partial<Snapshot>): Snapshot => ({
  id: "a",
  name: "avatar",
  state: "running",
  n: 0,
  chunks: 0,
  frames: 0,
  seconds: 0,
  fps: 25,
  width: 128,
  height: 128,
  created: 0,
  prompt_id: "",
  node_id: "",
  message: "",
  total_frames: null,
  workflow_id: null,
  ...change,
});

/** `count` chunks of 16 frames, numbered from 1. */
export const events = (count: number): RunEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    n: i + 1,
    kind: "chunk",
    chunk: i,
    first_frame: 16 * i,
    frames: 16,
    seconds: 0.5,
    real_time: 1.28,
  }));

/** A server with one run `a`; a test changes its fields, and can lose or delay answers. */
export class FakeServer implements Http {
  now = snapshot({});
  events: RunEvent[] = [];
  away = false;
  gone = false;
  readonly asked: string[] = [];
  /** Called before each answer. */
  before: (path: string) => void | Promise<void> = () => undefined;

  make(count: number, change: Partial<Snapshot> = {}): void {
    this.events = events(count);
    this.now = snapshot({ n: count, chunks: count, ...change });
  }

  async fetch(path: string): Promise<Response> {
    this.asked.push(path.replace("/echotorrent/runs", ""));
    await this.before(path);
    if (this.away) throw new TypeError("Failed to fetch");
    if (path.endsWith("/runs")) return Response.json({ runs: this.gone ? [] : [this.now] });
    if (this.gone) return Response.json({ error: "there is no run a" }, { status: 404 });
    const after = Number(/after=(\d+)/.exec(path)?.[1] ?? -1);
    if (after < 0) return Response.json(this.now);
    return Response.json({ events: this.events.filter(({ n }) => n > after), n: this.now.n });
  }

  url(path: string): string {
    return path;
  }
}
