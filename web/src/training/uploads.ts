import { shallowReactive, type ShallowReactive } from "vue";

import { messageOf } from "../http";
import type { TrainingClient } from "./client";
import type { Dataset, Options } from "./types";
import { bytes } from "./words";

export interface Upload {
  readonly name: string;
  /** How much is sent, 0 to 1. */
  share: number;
  state: "waiting" | "sending" | "refused";
  /** Why it was refused. */
  problem: string;
}

interface Entry {
  readonly upload: ShallowReactive<Upload>;
  readonly file: File;
  readonly ending: AbortController;
}

/** Files on their way into one dataset, one after the other. Those that arrived are taken off the list. */
export class Uploads {
  readonly list = shallowReactive<Upload[]>([]);
  private readonly waiting: Entry[] = [];
  private sending: Entry | undefined;

  constructor(
    private readonly client: TrainingClient,
    private readonly dataset: string,
    /** What is refused before it is sent. */
    private readonly limits: () => Pick<Options, "limits" | "media"> | undefined,
    private readonly arrived: (dataset: Dataset) => void,
    /** Called when the last one is through, if any arrived. */
    private readonly done: () => void,
  ) {}

  add(files: Iterable<File>): void {
    for (const file of files) {
      const problem = this.problemOf(file);
      const upload = shallowReactive<Upload>({ name: file.name, share: 0, state: problem ? "refused" : "waiting", problem });
      this.list.push(upload);
      if (!problem) this.waiting.push({ upload, file, ending: new AbortController() });
    }
    if (!this.sending) void this.run();
  }

  /** Takes one off the list; one that is being sent is broken off. */
  drop(upload: Upload): void {
    this.list.splice(this.list.indexOf(upload), 1);
    const at = this.waiting.findIndex((entry) => entry.upload === upload);
    if (at >= 0) this.waiting.splice(at, 1);
    else if (this.sending?.upload === upload) this.sending.ending.abort();
  }

  private problemOf({ name, size }: File): string {
    const found = this.limits();
    if (!found) return "";
    const ending = /\.[^.]*$/.exec(name)?.[0].toLowerCase() ?? "";
    if (!found.media.includes(ending)) return `'${name}' is no clip: videos and stills are taken, such as ${few(found.media)}.`;
    const most = found.limits.upload_bytes;
    return size > most ? `'${name}' has ${bytes(size)}, and at most ${bytes(most)} are taken.` : "";
  }

  private async run(): Promise<void> {
    let any = false;
    while ((this.sending = this.waiting.shift())) any = (await this.send(this.sending)) || any;
    if (any) this.done();
  }

  private async send({ upload, file, ending }: Entry): Promise<boolean> {
    upload.state = "sending";
    try {
      const progress = (share: number): void => void (upload.share = share);
      const dataset = await this.client.addClip(this.dataset, file, { progress, signal: ending.signal });
      if (!ending.signal.aborted) this.list.splice(this.list.indexOf(upload), 1);
      this.arrived(dataset);
      return true;
    } catch (error) {
      upload.state = "refused";
      upload.problem = messageOf(error);
      return false;
    }
  }
}

const few = (endings: readonly string[]): string =>
  [".mp4", ".mov", ".webm", ".png", ".jpg"].filter((ending) => endings.includes(ending)).join(", ") || endings.join(", ");
