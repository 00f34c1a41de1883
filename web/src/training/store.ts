import { computed, shallowReactive, shallowRef, type ShallowRef } from "vue";

import { Away, messageOf, Refused } from "../http";
import type { TrainingClient } from "./client";
import { Feed } from "./feed";
import { Poll } from "./poll";
import { isActive, isLively, type Clip, type Dataset, type Job, type Options } from "./types";
import { Uploads } from "./uploads";

const OPEN = 1000; // ms between two looks at what is open and changes
const REST = 3000; // and at everything else

/** What is looked at: it is read more often. */
export type Opened = { readonly job: string } | { readonly dataset: string } | null;

/**
 * Jobs and datasets as the server knows them. It is asked again and again while somebody looks; what it says is the
 * truth, and a job goes on without it.
 */
export class TrainingStore {
  readonly jobs = shallowRef<readonly Job[]>([]);
  readonly datasets = shallowRef<readonly Dataset[]>([]);
  readonly options = shallowRef<Options>();
  /** What the open job writes. */
  readonly feed = shallowRef<Feed>();
  readonly online = shallowRef(true);
  readonly loaded = shallowRef(false);
  /** What the server objected to when it was asked; empty if nothing. */
  readonly refused = computed(() => [...this.objections.values()][0] ?? "");
  readonly fineTunes = computed(() => inOrder(this.jobs.value.filter(({ kind }) => kind === "identity")));
  readonly running = computed(() => this.fineTunes.value.filter(isActive));

  private readonly objections = shallowReactive(new Map<string, string>());
  private opened: Opened = null;
  private readonly all = new Poll(() => this.guard("all", () => this.readAll()), () => REST);
  private readonly one = new Poll(() => this.guard("opened", () => this.readOpened()), () => (this.isLively() ? OPEN : REST));
  private readonly uploads = new Map<string, Uploads>();
  private asking: Promise<void> | null = null;

  constructor(readonly client: TrainingClient) {}

  /** Whether anybody sees what is shown of it; if not, the server is left alone. */
  show(visible: boolean): void {
    this.all.want(visible);
    this.one.want(visible);
  }

  open(opened: Opened): void {
    this.opened = opened;
    const job = opened && "job" in opened ? opened.job : undefined;
    if (job !== this.feed.value?.id) this.feed.value = job === undefined ? undefined : new Feed(this.client, job);
    this.objections.delete("opened");
    this.objections.delete("check");
    if (opened) void this.one.now();
  }

  /** Looks at once. */
  async refresh(): Promise<void> {
    await Promise.all([this.all.now(), this.opened ? this.one.now() : undefined]);
  }

  /** Reads presets, devices and limits. The first answer may take seconds, so that it is asked for once at a time. */
  loadOptions(): Promise<void> {
    this.asking ??= this.guard("options", async () => void (this.options.value = await this.client.options())).finally(
      () => (this.asking = null),
    );
    return this.asking;
  }

  findJob = (id: string): Job | undefined => this.jobs.value.find((job) => job.id === id);
  findDataset = (id: string): Dataset | undefined => this.datasets.value.find((dataset) => dataset.id === id);
  /** Comparisons of a fine-tune's checkpoints, newest first. */
  comparisons = (id: string): readonly Job[] =>
    this.jobs.value.filter(({ kind, parent }) => kind === "compare" && parent === id);
  /** The job that looks at a dataset's clips now. */
  checking = (id: string): Job | undefined =>
    this.jobs.value.find((job) => job.kind === "check" && job.dataset === id && isLively(job));

  /** Files on their way into a dataset; they go on while something else is shown. Afterwards they are looked at. */
  uploadsTo(id: string): Uploads {
    const known = this.uploads.get(id);
    if (known) return known;
    const made = new Uploads(this.client, id, () => this.options.value, this.putDataset, () => {
      if (!this.options.value?.problem) void this.check(id);
    });
    this.uploads.set(id, made);
    return made;
  }

  /** Has the server look at the clips of a dataset. Refusals are shown. */
  check(id: string): Promise<void> {
    return this.guard("check", async () => this.putJob(await this.client.check(id))).then(() => this.refresh());
  }

  // ---- what an answer of the server says, ahead of the next look

  putJob = (job: Job): void => put(this.jobs, job);
  putDataset = (dataset: Dataset): void => put(this.datasets, dataset);
  putClip(id: string, clip: Clip): void {
    const dataset = this.findDataset(id);
    if (dataset) this.putDataset({ ...dataset, clips: dataset.clips.map((old) => (old.file === clip.file ? clip : old)) });
  }

  dropJob(id: string): void {
    this.jobs.value = this.jobs.value.filter((job) => job.id !== id && job.parent !== id);
  }

  dropDataset(id: string): void {
    this.datasets.value = this.datasets.value.filter((dataset) => dataset.id !== id);
  }

  private isLively(): boolean {
    const { opened } = this;
    if (!opened) return false;
    if ("dataset" in opened) return this.checking(opened.dataset) !== undefined;
    const job = this.findJob(opened.job);
    return job !== undefined && isLively(job);
  }

  private async readAll(): Promise<void> {
    const [jobs, datasets] = await Promise.all([this.client.jobs(), this.client.datasets()]);
    this.jobs.value = jobs;
    this.datasets.value = datasets;
    this.loaded.value = true;
  }

  private async readOpened(): Promise<void> {
    const { opened } = this;
    if (!opened) return;
    try {
      if ("dataset" in opened) return this.putDataset(await this.client.dataset(opened.dataset));
      const job = await this.client.job(opened.job);
      this.putJob(job);
      if (this.feed.value?.id === job.id) await this.feed.value.look(job);
    } catch (error) {
      if (!(error instanceof Refused && error.status === 404)) throw error;
      if ("job" in opened) this.dropJob(opened.job);
      else this.dropDataset(opened.dataset);
    }
  }

  private async guard(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.online.value = true;
      this.objections.delete(what);
    } catch (error) {
      if (error instanceof Away) this.online.value = false;
      else this.objections.set(what, messageOf(error));
    }
  }
}

/** What runs first, then what waits, in the order of its turn; the rest with the newest first. */
function inOrder(jobs: readonly Job[]): readonly Job[] {
  const rank = (job: Job): number => (isActive(job) ? -2 : job.state === "queued" ? -1 : 0);
  return [...jobs].sort(
    (a, b) => rank(a) - rank(b) || (a.position ?? 0) - (b.position ?? 0) || b.created - a.created,
  );
}

function put<T extends { id: string }>(list: ShallowRef<readonly T[]>, one: T): void {
  const known = list.value.some(({ id }) => id === one.id);
  list.value = known ? list.value.map((old) => (old.id === one.id ? one : old)) : [one, ...list.value];
}
