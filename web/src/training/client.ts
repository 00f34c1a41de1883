import { accepted, alive, ask, json, type Http } from "../http";
import type {
  Clip,
  ClipChange,
  Dataset,
  Estimate,
  EstimateOf,
  Identity,
  Job,
  Log,
  Metrics,
  NewJob,
  Options,
  Sample,
} from "./types";

export interface Sending {
  /** Called with the share that is sent, 0 to 1. */
  progress(share: number): void;
  signal: AbortSignal;
}

export interface Uploads extends Http {
  /** POST of a form; a plain fetch does not tell how far it is. */
  upload(path: string, form: FormData, sending: Sending): Promise<Response>;
}

/** Commands of a job that take nothing but the job. */
export type Order = "start" | "resume" | "pause" | "stop" | "requeue" | "save" | "sample" | "duplicate";

const ROOT = "/echotorrent/training";

/** The routes of training, as nodes/openapi.json has them. Every method throws Refused or Away. */
export class TrainingClient {
  constructor(private readonly http: Uploads) {}

  options = (): Promise<Options> => this.get("/options");

  // ---- jobs

  jobs = async (): Promise<readonly Job[]> => (await this.get<{ jobs: Job[] }>("/jobs")).jobs;
  job = (id: string): Promise<Job> => this.get(at("jobs", id));
  metrics = (id: string, after: number): Promise<Metrics> => this.get(`${at("jobs", id, "metrics")}?after=${after}`);
  log = (id: string, after: number): Promise<Log> => this.get(`${at("jobs", id, "log")}?after=${after}`);

  async samples(id: string): Promise<readonly Sample[]> {
    return (await this.get<{ samples: Sample[] }>(at("jobs", id, "samples"))).samples;
  }

  async checkpoints(id: string): Promise<readonly Identity[]> {
    return (await this.get<{ checkpoints: Identity[] }>(at("jobs", id, "checkpoints"))).checkpoints;
  }

  createJob = (job: NewJob): Promise<Job> => this.send("POST", "/jobs", job);
  estimate = (job: EstimateOf): Promise<Estimate> => this.send("POST", "/estimate", job);
  order = (id: string, order: Order): Promise<Job> => this.send("POST", at("jobs", id, order));
  /** Ends the worker at once, without a checkpoint. */
  end = (id: string): Promise<Job> => this.send("POST", at("jobs", id, "stop"), { force: true });
  changeJob = (id: string, change: { name?: string; position?: number }): Promise<Job> =>
    this.send("PATCH", at("jobs", id), change);
  deleteJob = (id: string): Promise<unknown> => this.send("DELETE", at("jobs", id));

  compare(id: string, checkpoints: readonly string[], seconds: number, clip?: string): Promise<Job> {
    return this.send("POST", at("jobs", id, "compare"), { checkpoints, seconds, ...(clip && { clip }) });
  }

  /** Copies a checkpoint to models/echotorrent_identities, beyond the life of its job. */
  keep = (job: string, file: string, name: string): Promise<Identity> =>
    this.send("POST", "/identities", { job, file, name });

  // ---- datasets

  datasets = async (): Promise<readonly Dataset[]> => (await this.get<{ datasets: Dataset[] }>("/datasets")).datasets;
  dataset = (id: string): Promise<Dataset> => this.get(at("datasets", id));
  createDataset = (name: string): Promise<Dataset> => this.send("POST", "/datasets", { name });
  renameDataset = (id: string, name: string): Promise<Dataset> => this.send("PATCH", at("datasets", id), { name });
  deleteDataset = (id: string): Promise<unknown> => this.send("DELETE", at("datasets", id));
  check = (id: string): Promise<Job> => this.send("POST", at("datasets", id, "check"));
  changeClip = (id: string, clip: string, change: ClipChange): Promise<Clip> =>
    this.send("PATCH", at("datasets", id, "clips", clip), change);
  deleteClip = (id: string, clip: string): Promise<Dataset> => this.send("DELETE", at("datasets", id, "clips", clip));

  async addClip(id: string, file: File, sending: Sending): Promise<Dataset> {
    const form = new FormData();
    form.append("file", file, file.name);
    const path = ROOT + at("datasets", id, "clips");
    const response = await accepted(await alive(this.http.upload(path, form, sending)), path);
    return ((await alive(response.json())) as { dataset: Dataset }).dataset;
  }

  // ---- addresses for elements that load by themselves; a file that was written anew gets another one

  sampleUrl = (job: string, { file, modified }: Sample): string =>
    this.address(at("jobs", job, "samples", file), modified);
  checkpointUrl = (job: string, { file, modified }: Identity): string =>
    this.address(at("jobs", job, "checkpoints", file), modified);
  clipUrl = (dataset: string, { file, bytes }: Clip): string =>
    this.address(at("datasets", dataset, "clips", file, "video"), bytes);
  thumbnailUrl = (dataset: string, { file, bytes, begin }: Clip): string =>
    this.address(at("datasets", dataset, "clips", file, "thumbnail"), `${bytes}-${begin}`);

  private address(path: string, version: number | string): string {
    return this.http.url(`${ROOT}${path}?v=${version}`);
  }

  private async get<T>(path: string): Promise<T> {
    return (await json(this.http, ROOT + path)) as T;
  }

  private async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const given = body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    return (await alive((await ask(this.http, ROOT + path, { method, ...given })).json())) as T;
  }
}

const at = (...parts: string[]): string => parts.map((part) => `/${encodeURIComponent(part)}`).join("");
