/** What the server says; the field names are those of its routes. */

export type RunState = "running" | "finished" | "stopped" | "failed" | "interrupted";

export interface Snapshot {
  id: string;
  name: string;
  state: RunState;
  /** Number of the last event this takes into account. */
  n: number;
  chunks: number;
  frames: number;
  /** Seconds of video made. */
  seconds: number;
  fps: number;
  width: number;
  height: number;
  /** Seconds since 1970. */
  created: number;
  prompt_id: string;
  node_id: string;
  message: string;
  /** Frames of the whole run; null for one whose length is not known. */
  total_frames: number | null;
  /** Id of the workflow that queued it; null if a program did. */
  workflow_id: string | null;
}

export interface RunEvent {
  n: number;
  kind: string;
  chunk?: number;
  first_frame?: number;
  frames?: number;
  /** Seconds it took to make the chunk. */
  seconds?: number;
  real_time?: number;
  message?: string;
}

/** What the socket announces. It may be lost, late or doubled: only a reason to look. */
export interface Announcement {
  run: string;
  n: number;
}

/** A run as known here: a snapshot and all of its events, without holes. */
export interface Run {
  readonly snapshot: Snapshot;
  readonly events: readonly RunEvent[];
}

export const isOver = (snapshot: Snapshot): boolean => snapshot.state !== "running";
