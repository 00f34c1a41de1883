import { alive, ask, json, type Http } from "../http";
import type { RunEvent, Snapshot } from "./types";

/** The routes of runs. Every method throws Refused or Away. */
export class Client {
  constructor(private readonly http: Http) {}

  async runs(): Promise<Snapshot[]> {
    return ((await json(this.http, "/echotorrent/runs")) as { runs: Snapshot[] }).runs;
  }

  async run(id: string): Promise<Snapshot> {
    return (await json(this.http, at(id))) as Snapshot;
  }

  async events(id: string, after: number): Promise<RunEvent[]> {
    return ((await json(this.http, `${at(id, "events")}?after=${after}`)) as { events: RunEvent[] }).events;
  }

  /** Stops a run within one denoising step; what is made stays. */
  async stop(id: string): Promise<void> {
    await ask(this.http, at(id, "stop"), { method: "POST" });
  }

  /** Bytes of `init`, `segments/<chunk>` or `closing`. */
  async media(id: string, part: string): Promise<ArrayBuffer> {
    return alive((await ask(this.http, at(id, part))).arrayBuffer());
  }

  /**
   * The run as one mp4, which of a running one begins with chunk `first` and grows. Each call gives another address:
   * browsers keep what they have.
   */
  videoUrl(id: string, first: number): string {
    return this.http.url(`${at(id, "video")}?from=${first}&at=${Date.now()}`);
  }
}

const at = (id: string, part = ""): string => `/echotorrent/runs/${encodeURIComponent(id)}${part && `/${part}`}`;
