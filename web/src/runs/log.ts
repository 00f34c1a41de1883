import { isOver, type Run, type RunEvent, type Snapshot } from "./types";

/** Number of the last event; 0 before the first. */
export const last = (events: readonly RunEvent[]): number => events.at(-1)?.n ?? 0;

/** The events with a batch added; known ones are passed over. Null if something between them is missing. */
export function join(events: readonly RunEvent[], batch: readonly RunEvent[]): RunEvent[] | null {
  const joined = [...events];
  for (const event of batch) {
    if (event.n <= last(joined)) continue;
    if (event.n !== last(joined) + 1) return null;
    joined.push(event);
  }
  return joined;
}

/**
 * Whether the known events still hold. A run that is resumed may first drop events beyond its last saved state and
 * then give their numbers to others, so a run that was over and has changed since must be read again.
 */
export function continues(run: Run, snapshot: Snapshot): boolean {
  if (isOver(run.snapshot)) return snapshot.state === run.snapshot.state && snapshot.n === last(run.events);
  return snapshot.n >= last(run.events);
}

/** Whether an announcement says nothing new. */
export const isKnown = (run: Run, n: number): boolean => !isOver(run.snapshot) && n <= last(run.events);
