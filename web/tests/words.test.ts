import { expect, it } from "vitest";

import { failureOf, progress, seconds, share, speed, when } from "../src/view/words";
import { events, snapshot } from "./samples";

it("writes lengths", () => {
  expect([seconds(4.24), seconds(65), seconds(3600)]).toEqual(["4.2 s", "1:05", "60:00"]);
});

it("tells how far a run is, and its whole length where it is known", () => {
  const run = snapshot({ seconds: 1.28, frames: 32 });
  expect(progress(run)).toBe("32 frames, 1.3 s");
  expect(share(run)).toBeUndefined();
  run.total_frames = 128;
  expect(progress(run)).toBe("32 of 128 frames, 1.3 s");
  expect(share(run)).toBe(0.25);
  run.state = "stopped";
  expect(progress(run)).toBe("32 of 128 frames, 1.3 s");
  run.state = "finished";
  expect(progress(run)).toBe("32 frames, 1.3 s");
});

it("tells the pace of the last chunks, and of the whole run once it is over", () => {
  const slow = { seconds: 6.4, real_time: 0.1 };
  const run = { snapshot: snapshot({}), events: events(16).map((event, i) => (i < 8 ? { ...event, ...slow } : event)) };
  expect(speed(run)).toBe("1.28x real time");
  run.snapshot.state = "stopped";
  expect(speed(run)).toBe("0.19x real time");
  expect(speed({ snapshot: snapshot({}), events: [{ n: 1, kind: "start" }] })).toBe("");
});

it("says what failed, what is kept and what to do", () => {
  const failed = failureOf(snapshot({ state: "failed", message: "no space left", chunks: 2 }));
  expect(failed?.text).toBe("No space left. What was made is kept and plays below.");
  expect(failureOf(snapshot({ state: "failed" }))?.text).toBe("The log of ComfyUI says why. Nothing was made yet.");
  expect(failureOf(snapshot({ state: "interrupted" }))?.text).toContain("Nothing was made yet.");
  expect(failureOf(snapshot({ state: "stopped" }))).toBeNull();
});

it("shows a time for today and a date for older runs", () => {
  const now = new Date(2026, 4, 2, 12);
  expect(when(now.getTime() / 1000 - 60, now)).toMatch(/59/);
  expect(when(now.getTime() / 1000 - 90_000, now)).toMatch(/2026/);
});
