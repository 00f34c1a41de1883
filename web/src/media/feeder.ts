import { plan, type Room } from "./plan";
import type { Part } from "./playlist";

const ROOM: Room = { behind: 60, ahead: 60 };
const LEAST = 4; // seconds ahead that are asked for however little memory the browser gives

/** What is used of SourceBuffer and MediaSource, so that tests can stand in for them. */
export type Buffer = Pick<
  SourceBuffer,
  "updating" | "buffered" | "appendBuffer" | "remove" | "addEventListener"
>;
export type Source = Pick<MediaSource, "readyState" | "duration" | "endOfStream">;

/** Keeps a SourceBuffer filled around the playing position. Call `update` when parts are added or time moves. */
export class Feeder {
  private parts: readonly Part[] = [];
  private over = false;
  private readonly held = new Set<string>();
  private room = ROOM;
  private pumping = false;
  private again = false;
  private closed = false;

  constructor(
    private readonly source: Source,
    private readonly buffer: Buffer,
    private readonly load: (path: string) => Promise<ArrayBuffer>,
    private readonly time: () => number,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Takes the first bytes and the length of what is there: before, the element refuses to be set to a position. */
  async begin(init: ArrayBuffer, parts: readonly Part[]): Promise<void> {
    await this.settle(() => this.buffer.appendBuffer(init));
    this.parts = parts;
    this.stretch();
  }

  update(parts: readonly Part[] = this.parts, over = this.over): void {
    [this.parts, this.over] = [parts, over];
    void this.pump();
  }

  close(): void {
    this.closed = true;
  }

  private async pump(): Promise<void> {
    this.again = true;
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.again && this.usable) {
        this.again = false;
        await this.fill();
      }
    } catch (error) {
      if (this.usable) this.failed(error);
    } finally {
      this.pumping = false;
    }
  }

  private get usable(): boolean {
    return !this.closed && this.source.readyState !== "closed";
  }

  private async fill(): Promise<void> {
    this.stretch();
    for (let step; this.usable && (step = plan(this.parts, this.held, this.time(), this.room)); ) {
      if ("append" in step) {
        const data = await this.load(step.append.path);
        if (!this.usable) return;
        if (await this.append(data)) this.held.add(step.append.key);
        else if (!this.shrink()) return; // go on when playback has moved
      } else {
        const { from, to, keys } = step.remove;
        await this.settle(() => this.buffer.remove(from, to));
        keys.forEach((key) => this.held.delete(key));
      }
    }
    if (this.usable) this.finish();
  }

  /** False when the browser has no memory left for it. */
  private async append(data: ArrayBuffer): Promise<boolean> {
    try {
      await this.settle(() => this.buffer.appendBuffer(data));
      return true;
    } catch (error) {
      if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
      throw error;
    }
  }

  private shrink(): boolean {
    if (this.room.ahead <= LEAST) return false;
    this.room = { behind: this.room.behind / 2, ahead: this.room.ahead / 2 };
    return true;
  }

  /** The seek bar covers all that is made, loaded or not. */
  private stretch(): void {
    const { buffered } = this.buffer;
    const end = Math.max(this.parts.at(-1)?.end ?? 0, buffered.length ? buffered.end(buffered.length - 1) : 0);
    const known = this.source.duration;
    const short = !Number.isFinite(known) || known < end;
    if (this.source.readyState === "open" && short) this.source.duration = end;
  }

  /** Once the last part is in, playback may end there instead of waiting for more. */
  private finish(): void {
    const end = this.parts.at(-1);
    if (this.over && end && this.held.has(end.key) && this.source.readyState === "open") this.source.endOfStream();
  }

  private settle(change: () => void): Promise<void> {
    return new Promise((done, fail) => {
      const over = new AbortController();
      const listen = (name: "updateend" | "error", act: () => void): void =>
        this.buffer.addEventListener(
          name,
          () => {
            over.abort();
            act();
          },
          { signal: over.signal },
        );
      listen("error", () => fail(new Error("the browser cannot decode this video")));
      listen("updateend", done);
      try {
        change();
      } catch (error) {
        over.abort();
        fail(error);
      }
    });
  }
}
