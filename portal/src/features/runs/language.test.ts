import { expect, test } from "vitest";
import {
  conditions,
  joined,
  stageAt,
  withConditions,
  writtenField,
  writtenValue,
} from "./language";

/** The stage at the bar in a text. */
const at = (text: string) => {
  const { kind, typed, field } = stageAt(text.replace("|", ""), text.indexOf("|"));
  return [kind, typed, field];
};

test("the caret stands in a field, an operator, a value or behind a condition", () => {
  expect(at("|")).toEqual(["field", "", ""]);
  expect(at("metrics.lo|")).toEqual(["field", "metrics.lo", ""]);
  expect(at("metrics.loss |")).toEqual(["operator", "", "metrics.loss"]);
  expect(at("metrics.loss <|")).toEqual(["operator", "<", "metrics.loss"]);
  expect(at("metrics.loss < |")).toEqual(["value", "", "metrics.loss"]);
  expect(at("metrics.loss < 0.2|")).toEqual(["value", "0.2", "metrics.loss"]);
  expect(at("metrics.loss < 0.2 |")).toEqual(["joint", "", "metrics.loss"]);
  expect(at("metrics.loss < 0.2 and |")).toEqual(["field", "", ""]);
  expect(at('params.optimizer = "ad|')).toEqual(["value", '"ad', "params.optimizer"]);
  expect(at('params.o = "a" and tags.rig li|')).toEqual(["operator", "li", "tags.rig"]);
});

test("a list of values goes on until it is closed", () => {
  expect(at("attributes.status in |")).toEqual(["value", "", "attributes.status"]);
  expect(at("attributes.status in (|")).toEqual(["value", "", "attributes.status"]);
  expect(at('attributes.status in ("failed", "ru|')).toEqual(["value", '"ru', "attributes.status"]);
  expect(at('attributes.status in ("failed") |')).toEqual(["joint", "", "attributes.status"]);
});

test("keys in quotes are one name, also while they are being typed", () => {
  expect(at('metrics."val/lo|')).toEqual(["field", 'metrics."val/lo', ""]);
  expect(at('metrics."val/loss" > |')).toEqual(["value", "", "metrics.val/loss"]);
});

test("conditions are read with their values, and what is no chain of them is not read at all", () => {
  expect(conditions('attributes.status IN ("failed", "running") and tags.rig is not null')).toEqual(
    [
      expect.objectContaining({
        field: "attributes.status",
        operator: "in",
        values: ["failed", "running"],
      }),
      expect.objectContaining({ field: "tags.rig", operator: "is not", values: ["null"] }),
    ],
  );
  expect(conditions("")).toEqual([]);
  for (const text of [
    "metrics.loss",
    "metrics.loss < ",
    "a = 1 or b = 2",
    "a = 1 and",
    "a in (1",
  ]) {
    expect(conditions(text), text).toBeNull();
  }
});

test("replacing one condition leaves the others as they were typed", () => {
  const text = "metrics.loss<0.2 and attributes.status = 'failed' and  params.lr >= 1e-4";
  expect(withConditions(text, ({ field }) => field === "attributes.status", ['tags.a = "b"'])).toBe(
    'metrics.loss<0.2 and params.lr >= 1e-4 and tags.a = "b"',
  );
});

test("fields and values are written so that they can be read again", () => {
  expect(writtenField("metrics.loss")).toBe("metrics.loss");
  expect(writtenField("metrics.val/loss")).toBe('metrics."val/loss"');
  expect(writtenField('tags.a "b"')).toBe('tags.`a "b"`');
  expect(writtenValue(0.5)).toBe("0.5");
  expect(writtenValue('5" pipe')).toBe(`'5" pipe'`);
});

test("an or is kept together where something is added to it", () => {
  expect(joined("a = 1 or b = 2", "c = 3")).toBe("(a = 1 or b = 2) and c = 3");
  expect(joined("", "c = 3")).toBe("c = 3");
  expect(joined('tags.x = "this or that"', "c = 3")).toBe('tags.x = "this or that" and c = 3');
});

test("quotes in a value are doubled", () => {
  const written = writtenValue(`5" 'wide'`);
  expect(written).toBe(`'5" ''wide'''`);
  expect(conditions(`tags.x = ${written}`)?.[0]?.values).toEqual([`5" 'wide'`]);
});
