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
  expect(csv).toContain("series,seconds,value");
  expect(csv).toContain('"\'=cmd|""x""",0,0.5');
  expect(csv).toContain('"a,b",0,0.5');
});

test("a metric's key becomes a file name", () => {
  expect(fileName("train/loss", "csv")).toBe("train-loss.csv");
  expect(fileName("///", "png")).toBe("chart.png");
});
