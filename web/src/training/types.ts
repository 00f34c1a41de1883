/** What the routes of `nodes/openapi.json` say; the field names are theirs. Times are seconds since 1970. */

export type JobKind = "identity" | "check" | "compare";
export type JobState = "queued" | "starting" | "running" | "finished" | "failed" | "stopped" | "paused";
export type Command = "stop" | "pause" | "requeue" | "save" | "sample";
export type Setting = number | string | boolean | readonly string[];
export type Settings = Readonly<Record<string, Setting>>;

export interface Job {
  id: string;
  kind: JobKind;
  name: string;
  state: JobState;
  device: string;
  /** Place in the queue of its device, 0 is next; null if it does not wait. */
  position: number | null;
  preset: string | null;
  dataset: string | null;
  /** The fine-tune whose checkpoints are compared. */
  parent: string | null;
  settings: Settings;
  created: number;
  started: number | null;
  ended: number | null;
  /** When its worker was last heard of, or its state last changed. */
  updated: number;
  phase: string;
  step: number;
  /** 0 while it is not known. */
  total: number;
  metrics: Readonly<Record<string, number | null>>;
  seconds_left: number | null;
  reason: string;
  /** How often it was started; the curve is read anew after a change. */
  runs: number;
  resume_step: number | null;
  /** Commands that the worker has not answered yet. */
  pending: readonly Command[];
}

export interface MetricLine {
  readonly step: number;
  readonly time?: number;
  readonly [name: string]: number | null | undefined;
}

export interface Metrics {
  runs: number;
  /** Number of the last line; `after` of the next question. */
  n: number;
  more: boolean;
  lines: readonly MetricLine[];
}

export interface Log {
  text: string;
  next: number;
  size: number;
}

export interface Sample {
  file: string;
  step: number | null;
  label: string;
  bytes: number;
  modified: number;
}

export interface Identity {
  /** What the node EchoTorrent_LoadIdentity takes. */
  value: string;
  file: string;
  source: "job" | "models";
  job: string | null;
  name: string;
  step: number | null;
  preset: string;
  bytes: number;
  modified: number;
  /** A picture as a data: address. */
  preview: string | null;
}

export interface Verdict {
  usable: boolean;
  /** Why not, in a word or two; empty if it can be used. */
  reason: string;
  sentence?: string;
  /** Of the part that is used. */
  seconds?: number | null;
  width?: number | null;
  height?: number | null;
}

export interface Clip {
  file: string;
  kind: "video" | "still";
  bytes: number;
  begin: number;
  /** null: the end of the clip. */
  end: number | null;
  caption: string;
  use: boolean;
  thumbnail: boolean;
  /** null before the clip was looked at. */
  verdict: Verdict | null;
}

export type ClipChange = Partial<Pick<Clip, "begin" | "end" | "caption" | "use">>;

export interface Dataset {
  id: string;
  name: string;
  created: number;
  clips: readonly Clip[];
  bytes: number;
  /** Clips that are used and were not found unusable. */
  usable: number;
  /** Whether a job that waits or runs uses it. */
  busy: boolean;
}

/** The part of JSON schema that forms are made of. */
export interface SettingSchema {
  type?: string | readonly string[];
  title?: string;
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  enum?: readonly unknown[];
  items?: SettingSchema;
  /** "text" for what is no path of a file. */
  format?: string;
  /** "advanced": shown when asked for. */
  group?: string;
}

export interface Preset {
  name: string;
  schema: { title?: string; description?: string; properties?: Readonly<Record<string, SettingSchema>> };
}

export interface Device {
  id: string;
  name: string;
  free_bytes: number;
  total_bytes: number;
}

export interface Options {
  presets: readonly Preset[];
  /** The first is the best choice. */
  devices: readonly Device[];
  limits: { upload_bytes: number; clips: number; name_length: number; seconds: number };
  /** Endings of files that can be clips, with their dot. */
  media: readonly string[];
  /** Why nothing can be trained here; null if all is well. */
  problem: string | null;
}

export interface NewJob {
  name: string;
  preset: string;
  dataset: string;
  settings: Settings;
  device?: string;
  start?: boolean;
}

export interface Estimate {
  device: string;
  fits: boolean;
  needed_bytes: number;
  free_bytes: number;
  total_bytes: number;
  parts: Readonly<Record<string, number>>;
  seconds: number | null;
}

export type EstimateOf = Omit<NewJob, "name" | "start" | "dataset"> & { dataset?: string };

/** Whether a worker is at it. */
export const isActive = ({ state }: Job): boolean => state === "starting" || state === "running";

/** Whether something about it may change by itself. */
export const isLively = (job: Job): boolean => job.state === "queued" || isActive(job) || job.pending.length > 0;
