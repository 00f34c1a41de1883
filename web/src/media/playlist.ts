import type { Run } from "../runs/types";

/** One fragment: what to load and which seconds of the video it holds. */
export interface Part {
  /** The same bytes always have the same key. */
  readonly key: string;
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Path of the sound that the encoder still held at the end; a run of which nothing is left has none. */
export const CLOSING = "closing";
const CLOSING_SECONDS = 0.1; // more than it can hold

/** The fragments of a run in playing order: its chunks and, once it is over, the sound the encoder still held. */
export function playlist({ snapshot: { fps }, events }: Run): Part[] {
  const parts: Part[] = [];
  for (const { kind, chunk = 0, first_frame = 0, frames = 0 } of events) {
    if (kind !== "chunk") continue;
    const key = `${chunk}:${first_frame}+${frames}`;
    parts.push({ key, path: `segments/${chunk}`, start: first_frame / fps, end: (first_frame + frames) / fps });
  }
  const end = parts.at(-1)?.end;
  const over = ["end", "stop"].includes(events.at(-1)?.kind ?? "");
  if (end !== undefined && over)
    parts.push({ key: `closing@${end}`, path: CLOSING, start: end, end: end + CLOSING_SECONDS });
  return parts;
}

/** MIME type for MediaSource: H.264 as its initialisation segment describes it, with AAC-LC. Empty if it has none. */
export function mimeOf(init: ArrayBuffer): string {
  const bytes = new Uint8Array(init);
  const name = [..."avcC"].map((letter) => letter.charCodeAt(0));
  const at = bytes.findIndex((_, i) => name.every((code, j) => bytes[i + j] === code));
  if (at < 0 || at + 8 > bytes.length) return "";
  const profile = [...bytes.subarray(at + 5, at + 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `video/mp4; codecs="avc1.${profile}, mp4a.40.2"`;
}
