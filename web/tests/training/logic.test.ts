import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import { isRecord, isShare, isText, remembered } from "../../src/remembered";
import { actionsOf, hintOf, isPending } from "../../src/training/actions";
import { Poll } from "../../src/training/poll";
import { Together, type Playable } from "../../src/training/together";
import { badgeOf, bytes, duration, leftOf, nth, printed, shareOf, stateOf, stepsOf } from "../../src/training/words";
import { job } from "./samples";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("offers only what the state allows", () => {
  expect(actionsOf(job({ state: "running" }))).toEqual(["pause", "stop", "save", "sample", "requeue", "duplicate"]);
  expect(actionsOf(job({ state: "finished" }))).toEqual(["duplicate", "delete"]);
  expect(actionsOf(job({ state: "paused" }))).toContain("resume");
  expect(actionsOf(job({ state: "failed" }))).toContain("start");
  expect(actionsOf(job({ state: "queued", position: 0 }))).not.toContain("earlier");
  expect(actionsOf(job({ state: "queued", position: 1 }))).toContain("earlier");
  for (const state of ["starting", "running"] as const) expect(actionsOf(job({ state }))).not.toContain("delete");
});

it("offers to end a worker only once it was told to stop", () => {
  expect(actionsOf(job({ pending: ["pause"] }))).not.toContain("end");
  const told = job({ pending: ["stop"] });
  expect(actionsOf(told)).toContain("end");
  expect([isPending(told, "stop"), isPending(told, "save")]).toEqual([true, false]);
  expect(hintOf(job({ state: "failed", resume_step: 50 }), "start")).toContain("from step 50");
});

it("remembers over a reload, and forgets what another version wrote", () => {
  const kept = new Map<string, string>();
  const shelf = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const first = remembered("x", 0.5, isShare, shelf);
  expect(first.value).toBe(0.5);
  first.value = 0.25;
  expect(remembered("x", 0.5, isShare, shelf).value).toBe(0.25);
  const record = remembered<Record<string, string>>("r", {}, isRecord(isText), shelf);
  record.value["a"] = "b";
  expect(remembered<Record<string, string>>("r", {}, isRecord(isText), shelf).value).toEqual({ a: "b" });
  for (const broken of ["7", "{", '"x"', "null"]) {
    kept.set("EchoTorrent.panel.x", broken);
    expect(remembered("x", 0.5, isShare, shelf).value).toBe(0.5);
  }
  const full = { getItem: () => { throw new Error("forbidden"); }, setItem: () => { throw new Error("full"); } };
  const alone = remembered("x", "a", isText, full);
  alone.value = "b";
  expect(alone.value).toBe("b");
});

it("polls while it is wanted, and not twice at a time", async () => {
  let looks = 0;
  let answer = (): void => undefined;
  const poll = new Poll(() => new Promise((done) => ((looks += 1), (answer = done))), () => 1000);
  await vi.advanceTimersByTimeAsync(5000);
  expect(looks).toBe(0);
  poll.want(true);
  await vi.advanceTimersByTimeAsync(5000);
  expect(looks).toBe(1); // it has not been answered yet
  void poll.now();
  void poll.now();
  answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(2); // once more for both
  answer();
  await vi.advanceTimersByTimeAsync(999);
  expect(looks).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(looks).toBe(3);
  poll.want(false);
  answer();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks).toBe(3);
});

class FakeVideo implements Playable {
  currentTime = 0;
  paused = true;
  muted = false;
  playbackRate = 1;
  constructor(readonly duration: number) {}
  play(): Promise<void> {
    this.paused = false;
    return Promise.resolve();
  }
  pause(): void {
    this.paused = true;
  }
}

it("plays videos as one: from one place, at one pace, with one sound", async () => {
  const videos = [new FakeVideo(4), new FakeVideo(3.9), new FakeVideo(4)] as const;
  const together = new Together();
  expect(together.length).toBe(0);
  together.set(videos);
  expect(together.length).toBe(3.9);
  expect(videos.map(({ muted }) => muted)).toEqual([false, true, true]);
  together.listen(2);
  expect(videos.map(({ muted }) => muted)).toEqual([true, true, false]);
  videos[1].currentTime = 2;
  await together.play();
  expect(videos.map(({ paused, currentTime }) => [paused, currentTime])).toEqual([[false, 0], [false, 0], [false, 0]]);
  videos[0].currentTime = 1;
  videos[1].currentTime = 0.9;
  videos[2].currentTime = 1.02;
  together.follow();
  expect(videos.map(({ playbackRate }) => playbackRate)).toEqual([1, 1.1, 1]);
  together.pause();
  expect(videos.map(({ paused, currentTime, playbackRate }) => [paused, currentTime, playbackRate])).toEqual([
    [true, 1, 1],
    [true, 1, 1],
    [true, 1, 1],
  ]);
  videos[0].currentTime = 3.9;
  await together.play();
  expect(videos[0].currentTime).toBe(0); // from the beginning again
});

it("says how far a job is and what waits", async () => {
  await nextTick();
  expect(stateOf(job({ state: "queued", position: 0 }))).toBe("next");
  expect(stateOf(job({ state: "queued", position: 2 }))).toBe("3rd in the queue");
  expect(stateOf(job({ pending: ["stop"] }))).toBe("stopping");
  expect([1, 2, 3, 4, 11, 12, 21, 22, 103].map(nth)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "22nd", "103rd"]);
  expect(stepsOf(job({ step: 5 }))).toBe("step 5 of 100");
  expect(stepsOf(job({ step: 100, state: "finished" }))).toBe("100 steps");
  expect(stepsOf(job({ state: "queued" }))).toBe("100 steps");
  expect([shareOf(job({ step: 25 })), shareOf(job({ total: 0 })), shareOf(job({ state: "finished" }))]).toEqual([0.25, undefined, 1]);
  expect(leftOf(job({ seconds_left: 200 }))).toBe("3 min left");
  expect([0.2, 59, 60, 3599, 3600, 12_000, 400_000].map(duration)).toEqual(["1 s", "59 s", "1 min", "1 h", "1 h", "3 h 20 min", "5 days"]);
  expect([999, 1000, 2_345_678, 512e9, 5e15].map(bytes)).toEqual(["999 bytes", "1.0 kB", "2.3 MB", "512 GB", "5000 TB"]);
});

it("prints a log as a terminal does", () => {
  expect(printed("one\r\n 0%\r 50%\r100%\ntwo\n 10%\r 20%")).toBe("one\n100%\ntwo\n 20%");
  expect(printed("10%\r")).toBe("10%");
});

it.each([
  [null, "not looked at"],
  [{ usable: true, reason: "" }, "usable"],
  [{ usable: false, reason: "too dark", sentence: "its face is too dark" }, "too dark"],
  [{ usable: false, reason: "" }, "not usable"],
])("gives %o the badge '%s'", (verdict, badge) => expect(badgeOf(verdict)).toBe(badge));
