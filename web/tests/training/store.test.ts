import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { TrainingClient } from "../../src/training/client";
import { TrainingStore } from "../../src/training/store";
import { clip, dataset, FakeServer, job, lines } from "./samples";

let server: FakeServer;
let store: TrainingStore;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  server.jobs = [job()];
  server.datasets = [dataset()];
  store = new TrainingStore(new TrainingClient(server));
});
afterEach(() => {
  store.show(false);
  vi.useRealTimers();
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const losses = (): (number | undefined)[] => (store.feed.value?.curve.value.series.get("loss") ?? []).map(({ value }) => value);
const asked = (path: string): number => server.asked.filter((other) => other === path).length;

/** A step of the running job. */
function train(count: number, change = {}): void {
  server.metrics.lines = lines(count);
  server.log = Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join("");
  server.jobs = [job({ step: count, updated: count, ...change })];
}

it("asks nothing while nobody looks", async () => {
  store.open({ job: "a" });
  await pass(1);
  server.asked.length = 0;
  await pass(20_000);
  expect(server.asked).toEqual([]);
  store.show(true);
  await pass(1);
  expect(asked("/jobs")).toBe(1);
  store.show(false);
  server.asked.length = 0;
  await pass(20_000);
  expect(server.asked).toEqual([]);
});

it("looks at the open job every second while it runs, at all else every three", async () => {
  train(1);
  store.show(true);
  store.open({ job: "a" });
  await pass(1);
  server.asked.length = 0;
  await pass(6000);
  expect(asked("/jobs/a")).toBe(6);
  expect(asked("/jobs")).toBe(2);
  train(1, { state: "finished" });
  await pass(3000);
  server.asked.length = 0;
  await pass(9000);
  expect(asked("/jobs/a")).toBe(3);
});

it("reads a curve and a log on, and nothing again that is known", async () => {
  train(2);
  store.show(true);
  store.open({ job: "a" });
  await pass(1);
  expect(losses()).toEqual([1, 2]);
  train(4);
  server.asked.length = 0;
  await pass(1000);
  expect(losses()).toEqual([1, 2, 3, 4]);
  expect(asked("/jobs/a/metrics?after=2") + asked("/jobs/a/log?after=14")).toBe(2);
  expect(store.feed.value?.log.value).toBe("line 1\nline 2\nline 3\nline 4\n");
  server.asked.length = 0;
  await pass(1000); // nothing has happened
  expect(server.asked.filter((path) => path.includes("after"))).toEqual([]);
});

it("reads a long curve page by page", async () => {
  train(25);
  server.metrics.page = 10;
  store.open({ job: "a" });
  await pass(1);
  expect(losses()).toHaveLength(25);
});

it("reads all again when the job was started again from a checkpoint", async () => {
  train(5);
  store.show(true);
  store.open({ job: "a" });
  await pass(1);
  train(3, { runs: 2 });
  server.metrics.runs = 2;
  server.metrics.lines = [...lines(2), { step: 3, loss: 33 }];
  await pass(1000);
  expect(losses()).toEqual([1, 2, 33]);
});

it("shows samples as they come, and keeps the list while it is the same", async () => {
  train(1);
  store.show(true);
  store.open({ job: "a" });
  await pass(1);
  const before = store.feed.value?.samples.value;
  train(2);
  await pass(3100);
  expect(store.feed.value?.samples.value).toBe(before);
  server.samples = [{ file: "step-2.mp4", step: 2, label: "", bytes: 1, modified: 1 }];
  train(3);
  await pass(3100);
  expect(store.feed.value?.samples.value).toHaveLength(1);
});

it("reads the files of a job that has just ended at once", async () => {
  train(1);
  store.show(true);
  store.open({ job: "a" });
  await pass(1);
  server.samples = [{ file: "step-2.mp4", step: 2, label: "", bytes: 1, modified: 1 }];
  train(2, { state: "finished" });
  await pass(1000);
  expect(store.feed.value?.samples.value).toHaveLength(1);
});

it("says that the server is away, keeps what it has, and goes on when it is back", async () => {
  train(2);
  store.show(true);
  store.open({ job: "a" });
  await pass(1);
  server.away = true;
  await pass(3100);
  expect(store.online.value).toBe(false);
  expect(losses()).toEqual([1, 2]);
  server.away = false;
  train(6);
  await pass(3100);
  expect(store.online.value).toBe(true);
  expect(losses()).toHaveLength(6);
});

it("forgets what was deleted elsewhere, and says what is refused", async () => {
  store.show(true);
  store.open({ job: "a" });
  await pass(1);
  server.jobs = [];
  await pass(3100);
  expect(store.findJob("a")).toBeUndefined();
  expect(store.refused.value).toBe("");
  server.fetch = () => Promise.resolve(Response.json({ error: "requests of other sites are refused" }, { status: 403 }));
  await pass(3100);
  expect(store.refused.value).toBe("requests of other sites are refused");
});

it("shows another job at once when it is opened while the first is read", async () => {
  server.jobs = [job(), job({ id: "b", name: "Bob" })];
  let answer = (): void => undefined;
  server.before = (path) => (path === "/jobs/a" ? new Promise<void>((done) => (answer = done)) : undefined);
  store.open({ job: "a" });
  await pass(1);
  store.open({ job: "b" });
  answer();
  await pass(1);
  expect(store.feed.value?.id).toBe("b");
  expect(store.feed.value?.loaded.value).toBe(true);
});

it("lists what runs first, then the queue in its order, then the newest", () => {
  store.jobs.value = [
    job({ id: "new", state: "finished", created: 9 }),
    job({ id: "old", state: "failed", created: 1 }),
    job({ id: "second", state: "queued", position: 1, created: 2 }),
    job({ id: "first", state: "queued", position: 0, created: 8 }),
    job({ id: "now", state: "running", created: 0 }),
    job({ id: "look", kind: "check" }),
  ];
  expect(store.fineTunes.value.map(({ id }) => id)).toEqual(["now", "first", "second", "new", "old"]);
});

it("sends files one after the other, says how far they are, and has them looked at", async () => {
  const states: string[] = [];
  const uploads = store.uploadsTo("d");
  store.options.value = {
    presets: [],
    devices: [],
    limits: { upload_bytes: 5, clips: 9, name_length: 64, seconds: 60 },
    media: [".mp4"],
    problem: null,
  };
  server.send = async (form, { progress }) => {
    progress(0.5);
    states.push(uploads.list.map(({ name, state, share }) => `${name} ${state} ${share}`).join(", "));
    const { name } = form.get("file") as File;
    return name === "c.mp4"
      ? Response.json({ error: "the disk is full" }, { status: 409 })
      : Response.json({ dataset: dataset({ clips: [clip(name)] }) });
  };
  uploads.add([new File(["1"], "a.mp4"), new File(["123456"], "big.mp4"), new File(["1"], "b.txt"), new File(["1"], "c.mp4")]);
  await pass(10);
  expect(states[0]).toContain("a.mp4 sending 0.5");
  expect(states[0]).toContain("c.mp4 waiting 0");
  expect(uploads.list.map(({ name, problem }) => [name, problem])).toEqual([
    ["big.mp4", "'big.mp4' has 6 bytes, and at most 5 bytes are taken."],
    ["b.txt", "'b.txt' is no clip: videos and stills are taken, such as .mp4."],
    ["c.mp4", "the disk is full"],
  ]);
  expect(server.asked.slice(0, 3)).toEqual(["UPLOAD /datasets/d/clips", "UPLOAD /datasets/d/clips", "POST /datasets/d/check"]);
  expect(store.checking("d")?.id).toBeUndefined(); // the list of the server has no such job
  expect(store.uploadsTo("d")).toBe(uploads);
});

it("breaks off an upload that is cancelled, and goes on with the next", async () => {
  const uploads = store.uploadsTo("d");
  server.send = (form, { signal }) =>
    new Promise((done, fail) => {
      signal.addEventListener("abort", () => fail(new Error("broken off")));
      if ((form.get("file") as File).name === "b.mp4") done(Response.json({ dataset: dataset({ usable: 1 }) }));
    });
  uploads.add([new File(["1"], "a.mp4"), new File(["1"], "b.mp4")]);
  await pass(1);
  const [first] = uploads.list;
  if (first) uploads.drop(first);
  await pass(1);
  expect(uploads.list).toEqual([]);
});
