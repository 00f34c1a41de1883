import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Feeder } from "../src/media/feeder";
import type { Part } from "../src/media/playlist";

const parts = (count: number): Part[] =>
  Array.from({ length: count }, (_, i) => ({ key: `${i}`, path: `${i}`, start: i, end: i + 1 }));

/** Behaves as the specification says where the feeder depends on it: one change at a time, told by events. */
class FakeBuffer extends EventTarget {
  updating = false;
  appended: string[] = [];
  removed: [number, number][] = [];
  space = Infinity;
  broken = false;
  constructor(private readonly source: FakeSource) {
    super();
  }
  get buffered(): TimeRanges {
    const end = this.appended.filter((name) => name !== "init").length;
    return { length: end ? 1 : 0, start: () => 0, end: () => end };
  }
  appendBuffer(data: BufferSource): void {
    if (this.space <= 0) throw new DOMException("full", "QuotaExceededError");
    this.space--;
    this.change(() => {
      this.appended.push(new TextDecoder().decode(data as ArrayBuffer));
      if (this.source.readyState === "ended") this.source.readyState = "open";
    });
  }
  remove(from: number, to: number): void {
    this.space += 5;
    this.change(() => this.removed.push([from, to]));
  }
  private change(act: () => void): void {
    if (this.updating) throw new DOMException("busy", "InvalidStateError");
    this.updating = true;
    setTimeout(() => {
      this.updating = false;
      if (this.broken) this.dispatchEvent(new Event("error"));
      else act();
      this.dispatchEvent(new Event("updateend"));
    });
  }
}

class FakeSource {
  readyState: ReadyState = "open";
  duration = Infinity;
  ended = 0;
  endOfStream(): void {
    if (this.readyState !== "open") throw new DOMException("not open", "InvalidStateError");
    this.readyState = "ended";
    this.ended++;
  }
}

let source: FakeSource, buffer: FakeBuffer, feeder: Feeder, time: number;
const failed = vi.fn();
const load = vi.fn((path: string) => Promise.resolve(new TextEncoder().encode(path).buffer as ArrayBuffer));

beforeEach(async () => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  time = 0;
  source = new FakeSource();
  buffer = new FakeBuffer(source);
  feeder = new Feeder(source, buffer, load, () => time, failed);
  void feeder.begin(new TextEncoder().encode("init").buffer as ArrayBuffer, parts(1));
  expect(source.duration).toBe(Infinity);
  await settle();
  expect(source.duration).toBe(1);
});
afterEach(() => void vi.useRealTimers());
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(200);

it("appends each part once, in order, as they come", async () => {
  feeder.update(parts(2), false);
  feeder.update(parts(3), false);
  await settle();
  feeder.update(parts(4), false);
  await settle();
  expect(buffer.appended).toEqual(["init", "0", "1", "2", "3"]);
  expect(source.duration).toBe(4);
  expect(source.ended).toBe(0);
});

it("ends the stream when the run is over, and opens it again when the run is resumed", async () => {
  feeder.update(parts(2), true);
  await settle();
  expect(source.readyState).toBe("ended");
  feeder.update(parts(3), false);
  await settle();
  expect(source.readyState).toBe("open");
  expect(buffer.appended.at(-1)).toBe("2");
});

it("asks for less when the browser is out of memory, and goes on when playback has moved", async () => {
  buffer.space = 20;
  feeder.update(parts(50), false);
  await settle();
  expect(buffer.appended).toHaveLength(21);
  time = 15;
  feeder.update();
  await settle();
  expect(buffer.removed.length).toBeGreaterThan(0);
  expect(buffer.appended.length).toBeGreaterThan(21);
  expect(failed).not.toHaveBeenCalled();
});

it("reports a load that failed and tries again at the next update", async () => {
  load.mockRejectedValueOnce(new Error("gone"));
  feeder.update(parts(1), false);
  await settle();
  expect(failed).toHaveBeenCalledWith(new Error("gone"));
  feeder.update();
  await settle();
  expect(buffer.appended).toEqual(["init", "0"]);
});

it("reports bytes that cannot be decoded", async () => {
  buffer.broken = true;
  feeder.update(parts(1), false);
  await settle();
  expect(failed).toHaveBeenCalledWith(new Error("the browser cannot decode this video"));
});

it("does nothing more once it is closed", async () => {
  feeder.update(parts(5), true);
  feeder.close();
  await settle();
  expect(buffer.appended).toEqual(["init"]);
  expect(source.ended).toBe(0);
  expect(failed).not.toHaveBeenCalled();
});
