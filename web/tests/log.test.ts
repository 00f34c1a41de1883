import { describe, expect, it } from "vitest";

import { continues, isKnown, join, last } from "../src/runs/log";
import { events, snapshot } from "./samples";

describe("join", () => {
  it("adds what follows and passes over what is known", () => {
    expect(join(events(3), events(5))).toEqual(events(5));
    expect(join([], [])).toEqual([]);
    expect(last(events(5))).toBe(5);
  });

  it("refuses a batch with something missing before or within it", () => {
    expect(join(events(3), events(6).slice(4))).toBeNull();
    expect(join([], [events(3)[0]!, events(3)[2]!])).toBeNull();
  });
});

describe("continues", () => {
  it("holds for a run that goes on", () => {
    expect(continues({ snapshot: snapshot({ n: 3 }), events: events(3) }, snapshot({ n: 8 }))).toBe(true);
  });

  it("does not hold once events were taken back", () => {
    expect(continues({ snapshot: snapshot({ n: 5 }), events: events(5) }, snapshot({ n: 4 }))).toBe(false);
  });

  it("does not hold for a run that was over and is resumed, whatever its numbers", () => {
    const stopped = { snapshot: snapshot({ state: "stopped", n: 5 }), events: events(5) };
    expect(continues(stopped, snapshot({ state: "running", n: 5 }))).toBe(false);
    expect(continues(stopped, snapshot({ state: "stopped", n: 9 }))).toBe(false);
    expect(continues(stopped, snapshot({ state: "stopped", n: 5 }))).toBe(true);
  });
});

it("an announcement is known only while the run goes on", () => {
  expect(isKnown({ snapshot: snapshot({}), events: events(5) }, 5)).toBe(true);
  expect(isKnown({ snapshot: snapshot({}), events: events(5) }, 6)).toBe(false);
  expect(isKnown({ snapshot: snapshot({ state: "stopped" }), events: events(5) }, 5)).toBe(false);
});
