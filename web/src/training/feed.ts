import { shallowRef } from "vue";

import type { TrainingClient } from "./client";
import { EMPTY, extend, type Curve } from "./curve";
import { isActive, type Identity, type Job, type Sample } from "./types";
import { drawn } from "./words";

const TAIL = 16_384; // bytes of the log that are read at first
const LINES = 500; // of the log that are kept
const FILES = 3; // looks from one reading of the lists of files to the next, while it runs

/** What one job writes: its curve, log, samples and checkpoints, each read on from where it was. */
export class Feed {
  readonly curve = shallowRef<Curve>(EMPTY);
  readonly log = shallowRef("");
  readonly samples = shallowRef<readonly Sample[]>([]);
  readonly checkpoints = shallowRef<readonly Identity[]>([]);
  /** Whether all of it was read once. */
  readonly loaded = shallowRef(false);

  private logged: number | undefined; // bytes
  private seen = ""; // the job as it was at the last look
  private looks = 0;
  private stale = true; // the lists of files

  constructor(
    private readonly client: TrainingClient,
    readonly id: string,
  ) {}

  /** Reads what is new of a job, if it has changed since. Throws Refused or Away. */
  async look(job: Job): Promise<void> {
    const now = `${job.runs} ${job.state} ${job.updated} ${job.step} ${job.pending.join()}`;
    const changed = now !== this.seen;
    this.stale ||= changed;
    const files = isActive(job) ? this.looks % FILES === 0 : this.stale;
    this.looks += 1;
    await Promise.all([...(changed ? [this.readCurve(), this.readLog()] : []), ...(files ? [this.readFiles()] : [])]);
    this.seen = now;
    if (files) this.stale = false;
    this.loaded.value = true;
  }

  private async readCurve(): Promise<void> {
    for (let more = true; more; ) {
      const found = await this.client.metrics(this.id, this.curve.value.n);
      const longer = extend(this.curve.value, found);
      if (longer) this.curve.value = longer;
      else this.curve.value = EMPTY;
      more = !longer || (found.more && found.lines.length > 0);
    }
  }

  private async readLog(): Promise<void> {
    for (let more = true; more; ) {
      const { text, next, size } = await this.client.log(this.id, this.logged ?? -TAIL);
      if (size < (this.logged ?? 0)) {
        this.logged = undefined; // a new log: the job began anew
        this.log.value = "";
        continue;
      }
      this.logged = next;
      if (text) this.log.value = lastLines(drawn(this.log.value + text));
      more = next < size && text !== "";
    }
  }

  private async readFiles(): Promise<void> {
    const [samples, checkpoints] = await Promise.all([this.client.samples(this.id), this.client.checkpoints(this.id)]);
    if (!same(samples, this.samples.value)) this.samples.value = samples;
    if (!same(checkpoints, this.checkpoints.value)) this.checkpoints.value = checkpoints;
  }
}

function lastLines(text: string): string {
  const lines = text.split("\n");
  return lines.length > LINES ? lines.slice(-LINES).join("\n") : text;
}

/** Whether two lists name the same files: what is shown of them then stays as it is. */
function same(
  some: readonly { file: string; modified: number }[],
  others: readonly { file: string; modified: number }[],
): boolean {
  return (
    some.length === others.length &&
    some.every(({ file, modified }, i) => file === others[i]?.file && modified === others[i]?.modified)
  );
}
