import { expect, test } from "vitest";
import { csvOf, fileName } from "./export";

const line = (label: string) => ({ id: label, label, x: [0, 1], y: [0.5, Number.NaN] });

test("a CSV has dots, says which part it is, and writes NaN as pandas reads it", () => {
  expect(csvOf([line("loss")], "step", { shown: 2, stored: 2, exact: true })).toBe(
    "# all 2 points\nstep,value\n0,0.5\n1,NaN\n",
  );
  const part = csvOf([line("loss")], "step", { shown: 2, stored: 900, exact: false });
  expect(part).toContain("# 2 of 900 points");
});

test("several series are told apart, and a name cannot become a formula", () => {
  const csv = csvOf([line('=cmd|"x"'), line("a,b")], "relative", {
    shown: 4,
    stored: 4,
    exact: true,
  });
  expect(csv).toContain("metric,seconds,value");
  expect(csv).toContain('"\'=cmd|""x""",0,0.5');
  expect(csv).toContain('"a,b",0,0.5');
});

test("a metric's key becomes a file name", () => {
  expect(fileName("train/loss", "csv")).toBe("train-loss.csv");
  expect(fileName("///", "png")).toBe("chart.png");
});

test("points of several runs carry the run's name and id, of groups their band", () => {
  const of = (id: string, name: string) => ({ ...line(name), run: { id, name }, metric: "loss" });
  const whole = { shown: 4, stored: 4, exact: true };
  const csv = csvOf([of("1", "owl"), of("2", "owl")], "step", whole);
  expect(csv.split("\n").slice(1, 4)).toEqual([
    "run,run_id,step,value",
    "owl,1,0,0.5",
    "owl,1,1,NaN",
  ]);
  const group = { ...line("adam"), band: { low: [0.25, 1], high: [1, 2] } };
  expect(csvOf([group], "step", whole)).toContain("group,step,mean,low,high\nadam,0,0.5,0.25,1\n");
});
