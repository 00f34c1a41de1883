import type { Part } from "./playlist";

/** Seconds of video to hold behind and ahead of the playing position. */
export interface Room {
  behind: number;
  ahead: number;
}

export type Step = { append: Part } | { remove: { from: number; to: number; keys: string[] } };

const MARGIN = 0.25; // a removed stretch ends this much before the next part, whose sound begins a little early

/**
 * The next thing to do with the buffer, or null. Memory stays bounded on a video of any length: what lies far from
 * the playing position is removed, and loaded again when the user seeks back.
 */
export function plan(parts: readonly Part[], held: ReadonlySet<string>, time: number, room: Room): Step | null {
  return behind(parts, held, time, room) ?? ahead(parts, held, time, room) ?? missing(parts, held, time, room);
}

function behind(parts: readonly Part[], held: ReadonlySet<string>, time: number, room: Room): Step | null {
  const old = parts.filter((part) => held.has(part.key) && part.end < time - room.behind);
  const end = old.at(-1)?.end ?? 0;
  return end > MARGIN ? { remove: { from: 0, to: end - MARGIN, keys: keys(old) } } : null;
}

/** Only far beyond the room: what was loaded ahead is not thrown away for a small step back. */
function ahead(parts: readonly Part[], held: ReadonlySet<string>, time: number, room: Room): Step | null {
  const far = parts.filter((part) => held.has(part.key) && part.start > time + 3 * room.ahead);
  const first = far[0];
  return first ? { remove: { from: first.start, to: Infinity, keys: keys(far) } } : null;
}

function missing(parts: readonly Part[], held: ReadonlySet<string>, time: number, room: Room): Step | null {
  const part = parts.find((p) => !held.has(p.key) && p.end > time - MARGIN && p.start < time + room.ahead);
  return part ? { append: part } : null;
}

const keys = (parts: readonly Part[]): string[] => parts.map((part) => part.key);
