import { expect, it } from "vitest";

import { failureOf, progress, seconds, share, when } from "../src/view/words";
import { events, snapshot } from "./samples";

it("writes lengths", () => {
  expect([seconds(4.24), seconds(65), seconds(3600)]).toEqual(["4.2 s", "1:05", "60:00"]);
});

it("tells how far a run is, and its whole length where it is known", () => {
  const run = { snapshot: snapshot({ seconds: 1.28, frames: 32 }), events: events(2) };
  expect(progress(run)).toBe("1.3 s, 1.28x real time");
  expect(share(run.snapshot)).toBeUndefined();
  run.snapshot.total_frames = 128;
  expect(progress(run)).toBe("1.3 of 5.1 s, 1.28x real time");
  expect(share(run.snapshot)).toBe(0.25);
  run.snapshot.state = "finished";
  expect(progress(run)).toBe("1.3 s");
});

it("says what failed, what is kept and what to do", () => {
  const failed = failureOf(snapshot({ state: "failed", message: "no space left.", chunks: 2 }));
  expect(failed?.text).toBe("no space left. What was made is kept and plays below.");
  expect(failureOf(snapshot({ state: "interrupted" }))?.text).toContain("Nothing was made yet.");
  expect(failureOf(snapshot({ state: "stopped" }))).toBeNull();
});

it("shows a time for today and a date for older runs", () => {
  const now = new Date(2026, 4, 2, 12);
  expect(when(now.getTime() / 1000 - 60, now)).toMatch(/59/);
  expect(when(now.getTime() / 1000 - 90_000, now)).toMatch(/2026/);
});
