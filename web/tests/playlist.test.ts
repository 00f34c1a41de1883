import { describe, expect, it } from "vitest";

import { plan, type Step } from "../src/media/plan";
import { mimeOf, playlist, type Part } from "../src/media/playlist";
import { events, snapshot } from "./samples";

describe("playlist", () => {
  it("gives each chunk its place in time", () => {
    const parts = playlist({ snapshot: snapshot({}), events: [{ n: 1, kind: "start" }, ...events(2)] });
    expect(parts.map(({ path, start, end }) => [path, start, end])).toEqual([
      ["segments/0", 0, 0.64],
      ["segments/1", 0.64, 1.28],
    ]);
  });

  it("ends with the closing fragment once the run is over, and no longer when it is resumed", () => {
    const over = [...events(2), { n: 3, kind: "stop" }];
    expect(playlist({ snapshot: snapshot({ state: "stopped" }), events: over }).at(-1)?.path).toBe("closing");
    const resumed = [...over, { n: 4, kind: "start" }];
    expect(playlist({ snapshot: snapshot({}), events: resumed }).at(-1)?.path).toBe("segments/1");
  });

  it("is empty before the first chunk", () => {
    expect(playlist({ snapshot: snapshot({ state: "stopped" }), events: [{ n: 1, kind: "stop" }] })).toEqual([]);
  });

  it("knows the same bytes by the same key, and the sound at another end by another", () => {
    const keys = (count: number): string[] =>
      playlist({ snapshot: snapshot({}), events: [...events(count), { n: count + 1, kind: "end" }] }).map((p) => p.key);
    expect(keys(3).slice(0, 2)).toEqual(keys(2).slice(0, 2));
    expect(keys(3).at(-1)).not.toBe(keys(2).at(-1));
  });
});

describe("mimeOf", () => {
  it("reads the profile from the initialisation segment", () => {
    const bytes = new TextEncoder().encode("....avcC\u0001\u0064\u0000\u000d....");
    expect(mimeOf(bytes.buffer)).toBe('video/mp4; codecs="avc1.64000d, mp4a.40.2"');
  });

  it("is empty for anything else", () => {
    expect(mimeOf(new TextEncoder().encode("<html>avc</html>").buffer)).toBe("");
    expect(mimeOf(new TextEncoder().encode("avcC").buffer)).toBe("");
  });
});

describe("plan", () => {
  const room = { behind: 10, ahead: 10 };
  const parts: Part[] = Array.from({ length: 100 }, (_, i) => ({ key: `${i}`, path: `${i}`, start: i, end: i + 1 }));
  const run = (time: number, held: Set<string>): Step[] => {
    const steps: Step[] = [];
    for (let step; (step = plan(parts, held, time, room)); ) {
      steps.push(step);
      if ("append" in step) held.add(step.append.key);
      else step.remove.keys.forEach((key) => held.delete(key));
      if (steps.length > 500) throw new Error("never done");
    }
    return steps;
  };

  it("fills the room ahead, in order, and is done then", () => {
    const held = new Set<string>();
    expect(run(0, held).map((step) => "append" in step && step.append.key)).toEqual([..."0123456789"]);
    expect(plan(parts, held, 0, room)).toBeNull();
  });

  it("holds a bounded stretch however long it plays", () => {
    const held = new Set<string>();
    for (let time = 0; time < 95; time += 0.25) {
      run(time, held);
      expect(held.size).toBeLessThanOrEqual(22);
      expect(held.has(`${Math.floor(time)}`)).toBe(true);
    }
  });

  it("removes up to a little before what stays, whose sound begins early", () => {
    const held = new Set(parts.slice(0, 31).map(({ key }) => key));
    const step = plan(parts, held, 25, room);
    expect(step).toEqual({ remove: { from: 0, to: 13.75, keys: parts.slice(0, 14).map(({ key }) => key) } });
  });

  it("loads again what was removed when the user seeks back, and lets go of what is far ahead", () => {
    const held = new Set(parts.slice(70, 90).map(({ key }) => key));
    const steps = run(20, held);
    expect(steps[0]).toMatchObject({ remove: { from: 70, to: Infinity } });
    expect(held.has("20") && held.has("29") && !held.has("70")).toBe(true);
  });
});
