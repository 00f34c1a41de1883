/** What can be done with a job in which state. */

import type { Order } from "./client";
import { isActive, type Command, type Job, type JobState } from "./types";

export type Action = Order | "earlier" | "end" | "delete";

const ALLOWED: Readonly<Record<JobState, readonly Action[]>> = {
  queued: ["earlier", "pause", "stop", "duplicate", "delete"],
  starting: ["stop", "duplicate"],
  running: ["pause", "stop", "save", "sample", "requeue", "duplicate"],
  paused: ["resume", "requeue", "duplicate", "delete"],
  stopped: ["start", "duplicate", "delete"],
  failed: ["start", "duplicate", "delete"],
  finished: ["duplicate", "delete"],
};

/** In the order in which they are shown. */
export function actionsOf(job: Job): readonly Action[] {
  const allowed = ALLOWED[job.state].filter((action) => action !== "earlier" || (job.position ?? 0) > 0);
  return isActive(job) && job.pending.includes("stop") ? [...allowed, "end"] : allowed;
}

/** Whether the worker has been told and has not answered yet. */
export const isPending = (job: Job, action: Action): boolean => job.pending.includes(action as Command);

export const LABELS: Readonly<Record<Action, string>> = {
  start: "Start",
  resume: "Resume",
  pause: "Pause",
  stop: "Stop",
  requeue: "Requeue",
  save: "Save now",
  sample: "Sample now",
  duplicate: "Duplicate",
  earlier: "Move up",
  end: "End at once",
  delete: "Delete",
};

export const PENDING: Readonly<Record<Command, string>> = {
  pause: "Pausing",
  stop: "Stopping",
  requeue: "Requeueing",
  save: "Saving",
  sample: "Sampling",
};

export function hintOf(job: Job, action: Action): string {
  const step = job.resume_step;
  const where = step === null ? "from the beginning" : `from step ${step}`;
  const hints: Readonly<Record<Action, string>> = {
    start: `Puts it at the end of the queue; it goes on ${where}.`,
    resume: `Makes it the next in the queue; it goes on ${where}.`,
    pause: isActive(job) ? "Writes a checkpoint after this step and makes room." : "Takes it out of the queue for now.",
    stop: isActive(job) ? "Writes a checkpoint after this step and ends." : "Takes it out of the queue.",
    requeue: "Puts it at the end of the queue, with a checkpoint if it runs.",
    save: "Writes a checkpoint after this step and goes on.",
    sample: "Makes a sample video after this step and goes on.",
    duplicate: "Makes a new job with these settings, stopped, to be changed or started.",
    earlier: "Moves it one place forward in the queue.",
    end: "Ends the process without a checkpoint, if it hangs.",
    delete: "Deletes the job with its checkpoints and samples.",
  };
  return hints[action];
}
