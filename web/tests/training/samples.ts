import type { Sending, Uploads } from "../../src/training/client";
import type { Clip, Dataset, Job, Log, MetricLine, Metrics, Sample } from "../../src/training/types";

export const job = (change: Partial<Job> = {}): Job => ({
  id: "a",
  kind: "identity",
  name: "Ada",
  state: "running",
  device: "cpu",
  position: null,
  preset: "embedded",
  dataset: "d",
  parent: null,
  settings: {},
  created: 0,
  started: null,
  ended: null,
  updated: 0,
  phase: "",
  step: 0,
  total: 100,
  metrics: {},
  seconds_left: null,
  reason: "",
  runs: 1,
  resume_step: null,
  pending: [],
  ...change,
});

export const clip = (file: string, change: Partial<Clip> = {}): Clip => ({
  file,
  kind: "video",
  bytes: 10,
  begin: 0,
  end: null,
  caption: "",
  use: true,
  thumbnail: false,
  verdict: null,
  ...change,
});

export const dataset = (change: Partial<Dataset> = {}): Dataset => ({
  id: "d",
  name: "Ada",
  created: 0,
  clips: [],
  bytes: 0,
  usable: 0,
  busy: false,
  ...change,
});

/** Lines of steps 1 to `count`, of which each has its own number as loss. */
export const lines = (count: number): MetricLine[] =>
  Array.from({ length: count }, (_, i) => ({ step: i + 1, time: i, loss: i + 1 }));

/** A server with jobs and datasets, of which one job writes; a test changes its fields, and can lose answers. */
export class FakeServer implements Uploads {
  jobs: Job[] = [];
  datasets: Dataset[] = [];
  metrics = { runs: 1, lines: lines(0), page: 1000 };
  log = "";
  samples: Sample[] = [];
  away = false;
  readonly asked: string[] = [];
  /** Called before each answer. */
  before: (path: string) => void | Promise<void> = () => undefined;
  send: (form: FormData, sending: Sending) => Promise<Response> = () => Promise.resolve(Response.json({ dataset: dataset() }));

  async fetch(path: string, options?: RequestInit): Promise<Response> {
    const short = path.replace("/echotorrent/training", "");
    const method = options?.method ?? "GET";
    this.asked.push(method === "GET" ? short : `${method} ${short}`);
    await this.before(short);
    if (this.away) throw new TypeError("Failed to fetch");
    const found = this.find(short);
    return found === undefined ? Response.json({ error: "there is no such thing" }, { status: 404 }) : Response.json(found);
  }

  url(path: string): string {
    return path;
  }

  upload(path: string, form: FormData, sending: Sending): Promise<Response> {
    this.asked.push(`UPLOAD ${path.replace("/echotorrent/training", "")}`);
    return this.send(form, sending);
  }

  private find(path: string): unknown {
    const after = Number(/after=(-?\d+)/.exec(path)?.[1] ?? 0);
    const [, what, id, part] = path.replace(/\?.*/, "").split("/");
    if (what === "jobs") {
      if (id === undefined) return { jobs: this.jobs };
      const one = this.jobs.find((other) => other.id === id);
      if (!one || !part) return one;
      if (part === "metrics") return this.metricsAfter(after);
      if (part === "log") return this.logAfter(after);
      return { samples: { samples: this.samples }, checkpoints: { checkpoints: [] } }[part];
    }
    if (id === undefined) return { datasets: this.datasets };
    if (part === "check") return job({ id: "c", kind: "check", dataset: id });
    return this.datasets.find((other) => other.id === id);
  }

  private metricsAfter(after: number): Metrics {
    const { runs, lines: all, page } = this.metrics;
    const some = all.slice(after, after + page);
    return { runs, n: Math.min(after, all.length) + some.length, more: after + some.length < all.length, lines: some };
  }

  private logAfter(after: number): Log {
    const begin = after < 0 ? Math.max(0, this.log.length + after) : after;
    return { text: this.log.slice(begin), next: Math.max(begin, this.log.length), size: this.log.length };
  }
}
