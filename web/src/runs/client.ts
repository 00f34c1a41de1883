import type { RunEvent, Snapshot } from "./types";

/** The server answered, but not with what was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The server did not answer at all. */
export class Away extends Error {}

export interface Http {
  fetch(path: string, options?: RequestInit): Promise<Response>;
  /** Address of a path for elements that load by themselves. */
  url(path: string): string;
}

/** The pack's routes. Every method throws Refused or Away. */
export class Client {
  constructor(private readonly http: Http) {}

  async runs(): Promise<Snapshot[]> {
    return ((await this.json("/echotorrent/runs")) as { runs: Snapshot[] }).runs;
  }

  async run(id: string): Promise<Snapshot> {
    return (await this.json(at(id))) as Snapshot;
  }

  async events(id: string, after: number): Promise<RunEvent[]> {
    return ((await this.json(`${at(id, "events")}?after=${after}`)) as { events: RunEvent[] }).events;
  }

  /** Stops a run within one denoising step; what is made stays. */
  async stop(id: string): Promise<void> {
    await this.ask(at(id, "stop"), { method: "POST" });
  }

  /** Bytes of `init`, `segments/<chunk>` or `closing`. */
  async media(id: string, part: string): Promise<ArrayBuffer> {
    return alive((await this.ask(at(id, part))).arrayBuffer());
  }

  /**
   * The run as one mp4, which of a running one begins with chunk `first` and grows. Each call gives another address:
   * browsers keep what they have.
   */
  videoUrl(id: string, first: number): string {
    return this.http.url(`${at(id, "video")}?from=${first}&at=${Date.now()}`);
  }

  private async json(path: string): Promise<unknown> {
    return alive((await this.ask(path)).json());
  }

  private async ask(path: string, options?: RequestInit): Promise<Response> {
    const response = await alive(this.http.fetch(path, { cache: "no-store", ...options }));
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => null);
    const said = typeof body === "object" && body !== null && "error" in body ? String(body.error) : "";
    throw new Refused(response.status, said || `the server answered ${response.status} to ${path}`);
  }
}

const at = (id: string, part = ""): string => `/echotorrent/runs/${encodeURIComponent(id)}${part && `/${part}`}`;

async function alive<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new Away(error instanceof Error ? error.message : String(error));
  }
}
