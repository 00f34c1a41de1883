import { isOver, type Run, type RunEvent, type Snapshot } from "../runs/types";

export interface Failure {
  title: string;
  text: string;
}

export const seconds = (value: number): string =>
  value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;

/** How fast it is made: seconds of video per second. */
export function pace(run: Run): number | undefined {
  return run.events.findLast((event) => event.real_time !== undefined)?.real_time;
}

/** "4.2 of 11.6 s, 0.08x real time". */
export function progress(run: Run): string {
  const { seconds: made, total_frames: total, fps } = run.snapshot;
  const speed = isOver(run.snapshot) ? undefined : pace(run);
  const length = total && !isOver(run.snapshot) ? `${made.toFixed(1)} of ${seconds(total / fps)}` : seconds(made);
  return speed === undefined ? length : `${length}, ${speed.toFixed(2)}x real time`;
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
  const { kind, chunk, frames, seconds: took, real_time: speed, message } = event;
  if (kind === "chunk")
    return `Chunk ${(chunk ?? 0) + 1}: ${frames} frames in ${took?.toFixed(1)} s, ${speed?.toFixed(2)}x`;
  if (kind === "start") return "Started";
  if (kind === "end") return `Finished after ${frames} frames`;
  if (kind === "stop") return `Stopped after ${frames} frames`;
  if (kind === "error") return message || "Failed";
  return kind;
}

/** What went wrong with a run and what to do; null if nothing did. */
export function failureOf({ state, message, chunks }: Snapshot): Failure | null {
  const kept = chunks ? "What was made is kept and plays below." : "Nothing was made yet.";
  if (state === "failed") return { title: "The run failed", text: `${message || "The log of ComfyUI says why."} ${kept}` };
  if (state === "interrupted")
    return { title: "The run broke off", text: `ComfyUI ended while it was being made. ${kept} It can be resumed.` };
  return null;
}

export const canResume = ({ state }: Snapshot): boolean => ["stopped", "interrupted", "failed"].includes(state);
