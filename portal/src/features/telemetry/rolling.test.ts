import { expect, test } from "vitest";
import { RollingCurve } from "./rolling";

test("few readings stay as they are", () => {
  const curve = new RollingCurve(60);
  curve.push(100, 1);
  curve.push(101, 2);
  expect(curve.curve(110)).toEqual({ x: [100, 101], y: [1, 2] });
});

test("an hour at 100 Hz takes no more points than a chart shows, and keeps every extreme", () => {
  const curve = new RollingCurve(3600);
  for (let n = 0; n < 360_000; n++) curve.push(n / 100, n === 123_456 ? 99 : Math.sin(n / 50));
  const { x, y } = curve.curve(3600);
  expect(x.length).toBeLessThan(5_000);
  expect(Math.max(...y)).toBe(99);
  expect(x[y.indexOf(99)]).toBeCloseTo(1234.56);
  expect(x).toEqual(x.toSorted((a, b) => a - b));
});

test("what has left the window is gone", () => {
  const curve = new RollingCurve(10);
  for (let n = 0; n < 100; n++) curve.push(n, n);
  expect(curve.curve(99).x[0]).toBe(89);
});

test("a late reading finds its place", () => {
  const curve = new RollingCurve(60);
  for (const time of [1, 2, 5]) curve.push(time, time);
  curve.push(3, 3);
  expect(curve.curve(60).x).toEqual([1, 2, 3, 5]);
});

test("history comes before what arrived live, without doubling it", () => {
  const curve = new RollingCurve(60);
  curve.push(10, 1);
  curve.push(11, 2);
  curve.begin([8, 9, 10, 11], [6, 7, 1, 2]);
  expect(curve.curve(20)).toEqual({ x: [8, 9, 10, 11], y: [6, 7, 1, 2] });
});

test("a gap inside a crowded stretch stays a gap", () => {
  const curve = new RollingCurve(1500);
  for (let n = 0; n < 20; n++) curve.push(n / 20, n === 7 ? Number.NaN : n);
  curve.push(1.5, 0);
  expect(curve.curve(2).y.filter(Number.isNaN)).toHaveLength(1);
});
