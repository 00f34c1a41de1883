/** The numbers of a job as curves: pure functions between what the server sends and what is drawn. */

import type { Metrics } from "./types";

export interface Point {
  readonly step: number;
  readonly value: number;
}

export type Series = readonly Point[];
export type Range = readonly [low: number, high: number];

export interface Curve {
  readonly runs: number;
  /** Number of the last line that is in it. */
  readonly n: number;
  readonly series: ReadonlyMap<string, Series>;
}

export const EMPTY: Curve = { runs: -1, n: 0, series: new Map() };
const NO_METRIC = new Set(["step", "time"]);

/** The curve with the lines after its own; null if the job went back, so that all must be read from 0. */
export function extend(curve: Curve, { runs, n, lines }: Metrics): Curve | null {
  if (curve.n > 0 && (runs !== curve.runs || n < curve.n)) return null;
  if (!lines.length && runs === curve.runs) return curve;
  const series = new Map([...curve.series].map(([name, points]) => [name, [...points]]));
  for (const line of lines)
    for (const [name, value] of Object.entries(line)) {
      if (NO_METRIC.has(name) || typeof value !== "number") continue;
      const points = series.get(name) ?? [];
      while ((points.at(-1)?.step ?? -1) >= line.step) points.pop(); // made again from an older checkpoint
      points.push({ step: line.step, value });
      series.set(name, points);
    }
  return { runs, n, series };
}

/** Exponential average; weight: 0 leaves the points as they are, towards 1 it follows ever more slowly. */
export function smooth(points: Series, weight: number): Series {
  let average = 0;
  let sum = 0; // of the weights, so that the beginning is not drawn to zero
  return points.map(({ step, value }) => {
    average = weight * average + (1 - weight) * value;
    sum = weight * sum + (1 - weight);
    return { step, value: average / sum };
  });
}

/** Index of the first point at or after `step`. */
export function indexOf(points: Series, step: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.step ?? Infinity) < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The point nearest to `step`. */
export function nearest(points: Series, step: number): Point | undefined {
  const after = indexOf(points, step);
  const [left, right] = [points[after - 1], points[after]];
  if (!left || !right) return left ?? right;
  return step - left.step < right.step - step ? left : right;
}

/** The points inside a range of steps and one at or beyond each end, so that lines reach the edge. */
export function within(points: Series, [from, to]: Range): Series {
  return points.slice(Math.max(0, indexOf(points, from) - 1), indexOf(points, to) + 1);
}

/** At most 4 points per bucket, among them its lowest and highest: drawn as lines they look like all points. */
export function thin(points: Series, buckets: number): Series {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length <= 4 * buckets) return points;
  const width = (last.step - first.step) / buckets;
  const kept: Point[] = [];
  for (let begin = 0; begin < points.length; ) {
    const bucket = bucketOf(points[begin]);
    let end = begin + 1;
    while (end < points.length && bucketOf(points[end]) === bucket) end += 1;
    kept.push(...extremes(points.slice(begin, end)));
    begin = end;
  }
  return kept;

  function bucketOf(point: Point | undefined): number {
    return point && first ? Math.floor((point.step - first.step) / width) : -1;
  }
}

/** First, lowest, highest and last point, in their order. */
function extremes(points: Series): Series {
  let [low, high] = [0, 0];
  points.forEach(({ value }, i) => {
    if (value < (points[low]?.value ?? 0)) low = i;
    if (value > (points[high]?.value ?? 0)) high = i;
  });
  const chosen = [...new Set([0, low, high, points.length - 1])].sort((a, b) => a - b);
  return chosen.flatMap((i) => points[i] ?? []);
}

/** Lowest and highest step of several series. */
export function steps(all: readonly Series[]): Range {
  const ends = all.flatMap((points) => [points[0]?.step ?? [], points.at(-1)?.step ?? []].flat());
  return ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 1];
}

/** Range of the values, with some room; on a log axis only of the positive ones. */
export function extent(all: readonly Series[], log: boolean): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const points of all)
    for (const { value } of points) {
      if (log && value <= 0) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  const flat = high - low <= 1e-9 * Math.abs(high); // but for rounding
  if (log) {
    const room = flat ? 2 : (high / low) ** 0.05;
    return [low / room, high * room];
  }
  const room = flat ? Math.abs(high) / 2 || 1 : 0.06 * (high - low);
  return [low - room, high + room];
}

/** Round numbers inside a range, about `count` of them. */
export function ticks([low, high]: Range, count: number): number[] {
  if (!(high > low)) return [];
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (([1, 2, 5].find((factor) => factor * power >= rough)) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => tidy((first + i) * step));
}

/** Powers of ten inside a range, with their halves and fifths where there are few; round numbers where there are none. */
export function logTicks([low, high]: Range, count: number): number[] {
  const found: number[] = [];
  const decades = Math.log10(high / low);
  const factors = decades > count ? [1] : decades > count / 3 ? [1, 3] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / count));
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1)
    if (power % every === 0)
      for (const factor of factors) {
        const value = tidy(factor * 10 ** power);
        if (value >= low && value <= high) found.push(value);
      }
  return found.length > 1 ? found : ticks([low, high], count);
}

/** 0.1 + 0.2 as 0.3. */
const tidy = (value: number): number => Number(value.toPrecision(12));

/** Position of a value between the ends of a range: 0 at `low`, 1 at `high`. */
export function share(value: number, [low, high]: Range, log = false): number {
  if (log) return value > 0 ? Math.log(value / low) / Math.log(high / low) : -Infinity;
  return (value - low) / (high - low);
}

/** A number in few characters: 0.1234, 1.2e-5, 12 300. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  if (size >= 1000) return Math.round(value).toLocaleString("en-GB").replace(/,/g, "\u202f");
  return String(Number(value.toPrecision(4)));
}
