import { expect, test } from "vitest";
import type { Signal } from "@/api/generated/models/signal";
import { channelsOf, moved, panelsOf } from "./channels";

const signal = (name: string, input_unit: string, display_unit: string): Signal => ({
  name,
  title: "",
  input_unit,
  display_unit,
  expected_rate_hz: null,
});
const tunnel = {
  id: "s1",
  name: "Tunnel",
  signals: [signal("inlet", "V", "°C"), signal("outlet", "V", "°C"), signal("flow", "", "m/s")],
};

const all = new Set(["s1/inlet", "s1/outlet", "s1/flow"]);

test("a signal without a profile shows raw values in their own unit", () => {
  const [inlet, outlet] = channelsOf([tunnel], "physical", new Set(["s1/outlet"]));
  expect(inlet).toMatchObject({ values: "raw", unit: "V" });
  expect(outlet).toMatchObject({ values: "physical", unit: "°C" });
});

test("a chart has one unit, and signals without one stand alone", () => {
  const extra = {
    ...tunnel,
    signals: [...tunnel.signals, signal("a", "", ""), signal("b", "", "")],
  };
  const panels = panelsOf(channelsOf([extra], "physical", all), "unit");
  expect(panels.map(({ title, channels }) => [title, channels.length])).toEqual([
    ["°C", 2],
    ["m/s", 1],
    ["a", 1],
    ["b", 1],
  ]);
});

test("raw values have the unit that the sensor sends", () => {
  expect(channelsOf([tunnel], "raw", all).map(({ unit }) => unit)).toEqual(["V", "V", ""]);
});

test("charts stand where they were dragged to, new ones behind them", () => {
  const channels = channelsOf([tunnel], "physical", all);
  const keys = panelsOf(channels, "signal").map(({ key }) => key);
  const order = moved(keys, "s1/flow", "s1/inlet");
  expect(order).toEqual(["s1/flow", "s1/inlet", "s1/outlet"]);
  expect(panelsOf(channels, "signal", ["s1/flow"]).map(({ key }) => key)).toEqual(order);
});
