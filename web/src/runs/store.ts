import { computed, shallowReactive, shallowRef } from "vue";

import { Away, Refused } from "../http";
import type { Client } from "./client";
import { continues, isKnown, join, last } from "./log";
import { isOver, type Announcement, type Run, type Snapshot } from "./types";

const POLL = 2000; // ms between two looks while something runs or the server is away

/**
 * The runs as the server knows them. Announcements are only a reason to look: a snapshot is read, then the events
 * after the known ones, and all of them again when one is missing. Polling covers announcements that never came.
 */
export class Store {
  /** Ids, newest first. */
  readonly order = shallowRef<readonly string[]>([]);
  readonly runs = shallowReactive(new Map<string, Run>());
  readonly online = shallowRef(true);
  readonly loaded = shallowRef(false);
  /** What the server objected to when the list was asked for; empty if nothing. */
  readonly refused = shallowRef("");
  readonly running = computed(() => this.order.value.filter((id) => this.isRunning(id)));

  private readonly opened = new Set<string>(); // runs whose events are shown somewhere
  private readonly trusted = new Set<string>(); // runs whose events were read since the server last answered anew
  private readonly syncing = new Map<string, boolean>(); // value: look once more
  private refreshing: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: Client) {}

  /** Reads the list. Also the thing to do when the panel opens or the socket is back. */
  refresh(): Promise<void> {
    this.refreshing ??= this.readList().finally(() => {
      this.refreshing = null;
      this.schedule();
    });
    return this.refreshing;
  }

  /** From now on the events of this run are kept up to date. */
  open(id: string): void {
    if (this.opened.has(id)) return;
    this.opened.add(id);
    void this.sync(id);
  }

  announced({ run: id, n }: Announcement): void {
    const run = this.runs.get(id);
    if (!run) void this.refresh();
    else if (!isKnown(run, n)) void this.sync(id);
  }

  /** The socket broke: whatever is known may have changed behind our back. */
  lost(): void {
    this.online.value = false;
    this.trusted.clear();
    this.schedule();
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private isRunning(id: string): boolean {
    const run = this.runs.get(id);
    return run !== undefined && !isOver(run.snapshot);
  }

  private async readList(): Promise<void> {
    try {
      const found = await this.client.runs();
      const ids = new Set(found.map((snapshot) => snapshot.id));
      for (const id of this.runs.keys()) if (!ids.has(id)) this.forget(id);
      for (const snapshot of found) this.meet(snapshot);
      this.order.value = [...ids];
      this.refused.value = "";
      this.online.value = this.loaded.value = true;
      await Promise.all(this.watched().map((id) => this.sync(id)));
    } catch (error) {
      if (error instanceof Away) this.lost();
      else this.refused.value = String(error instanceof Error ? error.message : error);
    }
  }

  /** A snapshot from the list; runs whose events are kept get theirs together with the events, in `sync`. */
  private meet(snapshot: Snapshot): void {
    const run = this.runs.get(snapshot.id);
    if (!run || !run.events.length) this.runs.set(snapshot.id, { snapshot, events: [] });
    else if (!continues(run, snapshot)) this.trusted.delete(snapshot.id);
    if (!isOver(snapshot)) this.opened.add(snapshot.id);
  }

  private watched(): string[] {
    return [...this.opened].filter((id) => this.runs.has(id));
  }

  private async sync(id: string): Promise<void> {
    if (this.syncing.has(id)) {
      this.syncing.set(id, true);
      return;
    }
    try {
      do {
        this.syncing.set(id, false);
        await this.readRun(id);
      } while (this.syncing.get(id));
    } catch (error) {
      if (error instanceof Away) this.lost();
      else if (error instanceof Refused && error.status === 404) this.forget(id);
      else console.error("EchoTorrent:", error);
    } finally {
      this.syncing.delete(id);
      this.schedule();
    }
  }

  private async readRun(id: string): Promise<void> {
    const snapshot = await this.client.run(id);
    const old = this.runs.get(id);
    const known = old && this.trusted.has(id) && continues(old, snapshot) ? old.events : [];
    const more = await this.client.events(id, last(known));
    const events = join(known, more) ?? join([], await this.client.events(id, 0));
    if (!events) throw new Error(`the events of run ${id} have a hole`);
    this.runs.set(id, { snapshot, events });
    this.trusted.add(id);
    this.online.value = true;
  }

  private forget(id: string): void {
    this.runs.delete(id);
    this.opened.delete(id);
    this.trusted.delete(id);
    this.order.value = this.order.value.filter((other) => other !== id);
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.online.value && !this.running.value.length) return;
    this.timer = setTimeout(() => {
      if (this.online.value) for (const id of this.running.value) void this.sync(id);
      else void this.refresh();
    }, POLL);
  }
}
