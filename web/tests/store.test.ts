import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Client } from "../src/runs/client";
import { Store } from "../src/runs/store";
import { events, FakeServer } from "./samples";

let server: FakeServer;
let store: Store;

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  store = new Store(new Client(server));
  server.make(2);
  await store.refresh();
  server.asked.length = 0;
});
afterEach(() => {
  store.dispose();
  vi.useRealTimers();
});

const numbers = (): number[] => store.runs.get("a")?.events.map(({ n }) => n) ?? [];
const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(1).then(() => undefined);

it("reads a snapshot and then all events of what is running", () => {
  expect(numbers()).toEqual([1, 2]);
  expect(store.running.value).toEqual(["a"]);
});

it("asks for the events after the known ones when something is announced", async () => {
  server.make(3);
  store.announced({ run: "a", n: 3 });
  await settle();
  expect(server.asked).toEqual(["/a", "/a/events?after=2"]);
  expect(numbers()).toEqual([1, 2, 3]);
});

it("asks nothing for an announcement that is late or doubled", async () => {
  store.announced({ run: "a", n: 2 });
  store.announced({ run: "a", n: 1 });
  await settle();
  expect(server.asked).toEqual([]);
});

it("catches up when announcements were lost", async () => {
  server.make(7);
  store.announced({ run: "a", n: 7 });
  await settle();
  expect(numbers()).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

it("polls what is running even if nothing is announced at all, and stops when it is over", async () => {
  server.make(4, { state: "finished" });
  await vi.advanceTimersByTimeAsync(2100);
  expect(numbers()).toEqual([1, 2, 3, 4]);
  server.asked.length = 0;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(server.asked).toEqual([]);
});

it("reads everything again when the answer has a hole", async () => {
  server.make(6);
  const whole = server.events;
  server.events = whole.slice(4);
  server.before = (path) => {
    if (path.includes("after=0")) server.events = whole;
  };
  store.announced({ run: "a", n: 6 });
  await settle();
  expect(server.asked).toEqual(["/a", "/a/events?after=2", "/a/events?after=0"]);
  expect(numbers()).toEqual([1, 2, 3, 4, 5, 6]);
});

it("reads everything again when a resumed run took events back", async () => {
  server.make(3, { state: "stopped" });
  store.announced({ run: "a", n: 3 });
  await settle();
  server.make(4);
  server.events[2] = { n: 3, kind: "start" };
  store.announced({ run: "a", n: 3 });
  await settle();
  expect(store.runs.get("a")?.events[2]?.kind).toBe("start");
  expect(numbers()).toEqual([1, 2, 3, 4]);
});

it("looks once more when something is announced while it is looking", async () => {
  server.make(3);
  let answer = (): void => undefined;
  server.before = (path) => (path.endsWith("after=2") ? new Promise<void>((done) => (answer = done)) : undefined);
  store.announced({ run: "a", n: 3 });
  await settle();
  store.announced({ run: "a", n: 4 });
  store.announced({ run: "a", n: 4 });
  const seen = server.asked.length;
  server.before = () => undefined;
  server.make(4);
  answer();
  await settle();
  expect(server.asked.slice(seen)).toEqual(["/a", "/a/events?after=4"]);
  expect(numbers()).toEqual([1, 2, 3, 4]);
});

it("meets a run it did not know through its announcement", async () => {
  store = new Store(new Client(server));
  store.announced({ run: "a", n: 1 });
  await settle();
  expect(store.order.value).toEqual(["a"]);
});

it("says that the server is away, and reads all again when it is back", async () => {
  server.away = true;
  await vi.advanceTimersByTimeAsync(2100);
  expect(store.online.value).toBe(false);
  expect(numbers()).toEqual([1, 2]);
  server.away = false;
  server.make(5, { state: "interrupted" });
  server.events = events(5).map((event) => ({ ...event, real_time: 9 }));
  await vi.advanceTimersByTimeAsync(2100);
  expect(store.online.value).toBe(true);
  expect(store.runs.get("a")?.snapshot.state).toBe("interrupted");
  expect(store.runs.get("a")?.events[0]?.real_time).toBe(9);
});

it("forgets a run whose folder is gone", async () => {
  server.gone = true;
  await vi.advanceTimersByTimeAsync(2100);
  expect([...store.runs.keys(), ...store.order.value]).toEqual([]);
});

it("keeps what it has when the list is refused, and says why", async () => {
  server.fetch = () => Promise.resolve(Response.json({ error: "requests of other sites are refused" }, { status: 403 }));
  await store.refresh();
  expect(store.refused.value).toBe("requests of other sites are refused");
  expect(numbers()).toEqual([1, 2]);
});
