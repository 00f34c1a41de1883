import type { Clip, Identity, Job, Sample, Verdict } from "./types";

const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** "9.4 GB". */
export function bytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** "45 s", "12 min", "3 h 20 min". */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** "step 120 of 400"; empty before the first. */
export function stepsOf({ step, total, state }: Job): string {
  if (!step && state !== "running") return total ? `${total} steps` : "";
  return total && step < total ? `step ${step} of ${total}` : `${step} steps`;
}

/** The state in a word or two: "running", "next", "3rd in the queue". */
export function stateOf({ state, position, pending }: Job): string {
  if (state === "queued") return position === null ? "queued" : position === 0 ? "next" : `${nth(position + 1)} in the queue`;
  if (pending.includes("stop")) return "stopping";
  if (pending.includes("pause") || pending.includes("requeue")) return "pausing";
  return state;
}

export function nth(n: number): string {
  const word = { one: "st", two: "nd", few: "rd" }[new Intl.PluralRules("en", { type: "ordinal" }).select(n) as "one"];
  return `${n}${word ?? "th"}`;
}

/** Share of the steps that are done, 0 to 1; undefined while it is not known. */
export const shareOf = ({ step, total, state }: Job): number | undefined =>
  state === "finished" ? 1 : total ? Math.min(1, step / total) : undefined;

/** "3 min left"; empty if there is no estimate. */
export const leftOf = ({ seconds_left: left }: Job): string => (left === null ? "" : `${duration(left)} left`);

/** "step 200", or the name of a file that has none. */
export const checkpointName = ({ step, file }: Identity): string => (step === null ? file : `step ${step}`);

/** What a sample shows: its label, unless that is all there is of its step. */
export const sampleName = ({ step, label, file }: Sample): string =>
  [step === null ? "" : `step ${step}`, label].filter(Boolean).join(", ") || file;

/** A log without what a progress bar has drawn over; more may follow it. */
export const drawn = (log: string): string => log.replace(/[^\n]*\r(?=[^\r\n])/g, "");

/** A log as a terminal shows it. */
export const printed = (log: string): string => drawn(log).replace(/\r/g, "");

/** The verdict on a clip in a word or two; its sentence says more. */
export function badgeOf(verdict: Verdict | null): string {
  if (!verdict) return "not looked at";
  return verdict.usable ? "usable" : verdict.reason || "not usable";
}

/** "8 clips, 6 usable". */
export function clipsOf(clips: readonly Clip[], usable: number): string {
  if (!clips.length) return "no clips";
  return `${clips.length} ${clips.length === 1 ? "clip" : "clips"}, ${usable} usable`;
}
