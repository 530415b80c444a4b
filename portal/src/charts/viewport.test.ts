import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Viewport } from "./viewport";

let now = 0;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame"] });
  now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const frame = () => vi.advanceTimersByTime(16);

test("the page hears of a movement once, after the hand rests", () => {
  const view = new Viewport(null);
  view.onRest = vi.fn();
  for (let step = 0; step < 20; step++) {
    view.move([step, step + 10]);
    frame();
  }
  expect(view.onRest).not.toHaveBeenCalled();
  vi.advanceTimersByTime(500);
  expect(view.onRest).toHaveBeenCalledExactlyOnceWith([19, 29]);
});

test("the pane under the hand is drawn in every frame, slow others in turn", () => {
  const view = new Viewport(null);
  const drawn: string[] = [];
  const slow = (name: string) => () => {
    drawn.push(name);
    now += 6;
  };
  const own = slow("own");
  view.add(slow("a"));
  view.add(own);
  view.add(slow("b"));
  for (const from of [1, 2, 3, 4]) {
    view.move([from, 10], own);
    frame();
  }
  expect(drawn).toEqual(["own", "a", "own", "b", "own", "a", "own", "b"]);
});

test("a choice is told at once, and what the address says afterwards changes nothing", () => {
  const view = new Viewport(null);
  const pane = vi.fn();
  view.onRest = vi.fn();
  view.add(pane);
  view.choose([1 / 3, 2 / 3]);
  expect(view.onRest).toHaveBeenCalledWith([1 / 3, 2 / 3]);
  frame();
  view.follow([0.3333333333333, 0.6666666666667]);
  frame();
  expect(pane).toHaveBeenCalledTimes(1);
  view.follow(null);
  frame();
  expect(pane).toHaveBeenCalledTimes(2);
  expect(view.range).toBeNull();
});
