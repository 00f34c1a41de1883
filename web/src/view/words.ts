import { isOver, type Run, type RunEvent, type Snapshot } from "../runs/types";

export interface Failure {
  title: string;
  text: string;
}

export const seconds = (value: number): string =>
  value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;

const RECENT = 8; // chunks: a pace that follows a change of load, and does not jump with every chunk

/** How fast it is made, in seconds of video per second: the last chunks' pace, of a run that is over all chunks'. */
export function pace({ snapshot, events }: Run): number | undefined {
  const chunks = events.filter(({ kind }) => kind === "chunk").slice(isOver(snapshot) ? 0 : -RECENT);
  const sum = (of: (event: RunEvent) => number | undefined): number => chunks.reduce((n, event) => n + (of(event) ?? 0), 0);
  const took = sum((event) => event.seconds);
  return took ? sum((event) => event.frames) / snapshot.fps / took : undefined;
}

/** "0.31x real time"; empty before the first chunk. */
export function speed(run: Run): string {
  const found = pace(run);
  return found === undefined ? "" : `${found.toFixed(2)}x real time`;
}

/** "96 of 290 frames, 3.8 s"; of a run that is over, what was made. */
export function progress({ state, frames, total_frames: total, seconds: made }: Snapshot): string {
  const length = total && state !== "finished" ? `${frames} of ${total} frames` : `${frames} frames`;
  return `${length}, ${seconds(made)}`;
}

/** Share of the run that is made, 0 to 1; undefined if its length is not known. */
export function share({ state, frames, total_frames: total }: Snapshot): number | undefined {
  if (state === "finished") return 1;
  return total ? Math.min(1, frames / total) : undefined;
}

/** Local time for today, the date for older ones. */
export function when(created: number, now = new Date()): string {
  const date = new Date(created * 1000);
  const today = date.toDateString() === now.toDateString();
  return today ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : date.toLocaleDateString();
}

export function describe(event: RunEvent): string {
  const { n, kind, chunk, frames, seconds: took, real_time: speed, message } = event;
  if (kind === "chunk")
    return `Chunk ${(chunk ?? 0) + 1}: ${frames} frames in ${took?.toFixed(1)} s, ${speed?.toFixed(2)}x`;
  if (kind === "start") return n === 1 ? "Started" : "Resumed";
  if (kind === "end") return `Finished after ${frames} frames`;
  if (kind === "stop") return `Stopped after ${frames} frames`;
  if (kind === "error") return message ? sentence(message) : "Failed";
  return kind;
}

/** A message of the server as a sentence: with a capital and a full stop. */
export function sentence(message: string): string {
  const text = message.trim();
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** What went wrong with a run and what to do; null if nothing did. */
export function failureOf({ state, message, chunks }: Snapshot): Failure | null {
  const kept = chunks ? "What was made is kept and plays below." : "Nothing was made yet.";
  if (state === "failed")
    return { title: "The run failed", text: `${sentence(message || "the log of ComfyUI says why")} ${kept}` };
  if (state === "interrupted")
    return { title: "The run broke off", text: `ComfyUI ended while it was being made. ${kept} It can be resumed.` };
  return null;
}

export const canResume = ({ state }: Snapshot): boolean => ["stopped", "interrupted", "failed"].includes(state);
