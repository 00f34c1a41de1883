import { expect, it } from "vitest";

import {
  brief,
  EMPTY,
  extend,
  extent,
  indexOf,
  logTicks,
  nearest,
  share,
  smooth,
  steps,
  thin,
  ticks,
  within,
  type Series,
} from "../../src/training/curve";
import { lines } from "./samples";

const series = (...values: number[]): Series => values.map((value, i) => ({ step: i + 1, value }));
const values = (points: Series): number[] => points.map(({ value }) => value);
const answer = (n: number, from = 0, runs = 1) => ({ runs, n, more: false, lines: lines(n).slice(from) });

it("takes lines on, each metric by itself, and leaves out what is no number", () => {
  const first = extend(EMPTY, { runs: 1, n: 2, more: false, lines: [{ step: 1, time: 5, loss: 3 }, { step: 2, loss: null, rate: 1 }] });
  expect([...(first?.series ?? [])]).toEqual([["loss", [{ step: 1, value: 3 }]], ["rate", [{ step: 2, value: 1 }]]]);
  const second = first && extend(first, { runs: 1, n: 3, more: false, lines: [{ step: 3, loss: 2 }] });
  expect(values(second?.series.get("loss") ?? [])).toEqual([3, 2]);
  expect(values(first?.series.get("loss") ?? [])).toEqual([3]);
});

it("wants all lines again when the job went back or was started again", () => {
  const curve = extend(EMPTY, answer(5)) ?? EMPTY;
  expect(extend(curve, answer(7, 5))?.n).toBe(7);
  expect(extend(curve, answer(3, 3))).toBeNull();
  expect(extend(curve, answer(5, 5, 2))).toBeNull();
  expect(extend(curve, answer(5, 5))).toBe(curve);
});

it("drops points that were made again from an older checkpoint", () => {
  const again = [...lines(4), { step: 3, loss: 30 }, { step: 4, loss: 40 }];
  expect(values(extend(EMPTY, { runs: 2, n: 6, more: false, lines: again })?.series.get("loss") ?? [])).toEqual([1, 2, 30, 40]);
});

it("smooths as the weighted mean of all points before, with weights that fall by a factor", () => {
  const points = series(5, 1, 4, 1, 8);
  const oracle = points.map((_, n) => {
    const weights = points.slice(0, n + 1).map((_, i) => 0.7 ** (n - i));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.reduce((sum, weight, i) => sum + weight * (points[i]?.value ?? 0), 0) / total;
  });
  smooth(points, 0.7).forEach(({ value }, i) => expect(value).toBeCloseTo(oracle[i] ?? NaN, 12));
  expect(smooth(points, 0)).toEqual(points);
});

it("finds points as a search from the beginning does", () => {
  const points = [2, 3, 5, 9, 14].map((step) => ({ step, value: step }));
  for (let step = 0; step < 17; step += 0.5) {
    const at = points.findIndex((point) => point.step >= step);
    expect(indexOf(points, step)).toBe(at < 0 ? 5 : at);
    const distance = Math.min(...points.map((point) => Math.abs(point.step - step)));
    expect(Math.abs((nearest(points, step)?.step ?? NaN) - step)).toBe(distance);
  }
  expect(nearest([], 3)).toBeUndefined();
});

it("cuts to a range with one point at or beyond each end", () => {
  expect(within(series(1, 2, 3, 4, 5, 6), [2.5, 4.5]).map(({ step }) => step)).toEqual([2, 3, 4, 5]);
  expect(within(series(1, 2, 3, 4, 5, 6), [3, 4]).map(({ step }) => step)).toEqual([2, 3, 4]);
  expect(within(series(1, 2, 3), [-5, 50])).toHaveLength(3);
});

it("thins without losing a peak, the ends or the order", () => {
  const points = series(...Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 50) + (i === 5_555 ? 9 : 0) - (i === 7_777 ? 9 : 0)));
  const few = thin(points, 100);
  expect(few.length).toBeLessThanOrEqual(4 * 101);
  expect(few[0]).toBe(points[0]);
  expect(few.at(-1)).toBe(points.at(-1));
  expect(Math.max(...values(few))).toBe(Math.max(...values(points)));
  expect(Math.min(...values(few))).toBe(Math.min(...values(points)));
  expect(few.every(({ step }, i) => step > (few[i - 1]?.step ?? 0))).toBe(true);
  expect(thin(points.slice(0, 50), 100)).toHaveLength(50);
});

it("leaves room around the values, and on a log axis sees only those above zero", () => {
  const [low, high] = extent([series(1, 3), series(2)], false);
  expect(low).toBeLessThan(1);
  expect(low).toBeGreaterThan(0.8);
  expect(high).toBeGreaterThan(3);
  const [least] = extent([series(0.01, -5, 0, 10)], true);
  expect(least).toBeGreaterThan(0.005);
  expect(least).toBeLessThan(0.01);
  for (const log of [false, true])
    for (const points of [[], series(4, 4), series(0.9628, 0.9628 + 1e-15), series(0)]) {
      const [from, to] = extent([points], log);
      expect(to).toBeGreaterThan(from + 0.1);
    }
});

it("puts round numbers on the axes", () => {
  expect(ticks([0, 230], 4)).toEqual([0, 100, 200]);
  expect(ticks([0.06, 0.48], 4)).toEqual([0.2, 0.4]);
  expect(ticks([-1, 1], 4)).toEqual([-1, -0.5, 0, 0.5, 1]);
  expect(ticks([3, 3], 4)).toEqual([]);
  expect(logTicks([0.0009, 1100], 5)).toEqual([0.01, 1, 100]);
  expect(logTicks([0.04, 0.6], 5)).toEqual([0.05, 0.1, 0.2, 0.5]);
  expect(logTicks([0.31, 0.38], 4)).toEqual([0.32, 0.34, 0.36, 0.38]);
});

it("maps values to the axes", () => {
  expect(share(5, [0, 10])).toBe(0.5);
  expect(share(1, [0.1, 10], true)).toBeCloseTo(0.5, 12);
  expect(share(0, [0.1, 10], true)).toBe(-Infinity);
  expect(steps([series(1, 2, 3), [{ step: 9, value: 0 }]])).toEqual([1, 9]);
  expect(steps([])).toEqual([0, 1]);
});

it("writes numbers short", () => {
  expect([0.123456, 0.0002, 12_345, 1.5, 0, -3].map(brief)).toEqual(["0.1235", "2e-4", "12\u202f345", "1.5", "0", "-3"]);
});
