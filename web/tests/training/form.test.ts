import { expect, it } from "vitest";

import { draftOf, fieldsOf, problemOf, settingsOf, shown, valueOf, type Field } from "../../src/training/form";

const fields = fieldsOf({
  properties: {
    steps: { type: "integer", title: "Steps", description: "How long.", default: 400, minimum: 10, maximum: 1000 },
    rate: { type: "number", default: 2e-4, exclusiveMinimum: 0, maximum: 0.01 },
    face_refined: { type: "boolean", default: true },
    rank: { type: "integer", default: 16, enum: [4, 16, 64], group: "advanced" },
    note: { type: ["string", "null"], default: "" },
    weights: { type: "array", items: { type: "string" }, default: ["a"], group: "advanced" },
    sizes: { type: "array", items: { type: "integer" }, default: [] },
    more: { type: "object" },
  },
});
const field = (key: string): Field => fields.find((one) => one.key === key)!;

it("makes a field of every setting that can be shown", () => {
  expect(fields.map(({ key, kind }) => [key, kind])).toEqual([
    ["steps", "integer"],
    ["rate", "number"],
    ["face_refined", "boolean"],
    ["rank", "choice"],
    ["note", "text"],
    ["weights", "list"],
  ]);
  expect(field("steps")).toMatchObject({ title: "Steps", help: "How long.", initial: 400, advanced: false });
  expect(field("face_refined").title).toBe("Face refined");
  expect(field("rank").advanced).toBe(true);
});

it("shows defaults until something was typed", () => {
  expect([shown(field("steps"), {}), shown(field("steps"), { steps: "" }), shown(field("face_refined"), {})]).toEqual(["400", "", true]);
});

it.each([
  ["steps", "9", "Give a whole number from 10 to 1000."],
  ["steps", "1001", "Give a whole number from 10 to 1000."],
  ["steps", "20.5", "Give a whole number from 10 to 1000."],
  ["steps", "", "Give a whole number from 10 to 1000."],
  ["steps", "ten", "Give a whole number from 10 to 1000."],
  ["steps", "10", ""],
  ["steps", "1e3", ""],
  ["rate", "0", "Give a number above 0, up to 0.01."],
  ["rate", "0,001", ""],
  ["rate", "0.01", ""],
  ["rate", "0.011", "Give a number above 0, up to 0.01."],
  ["rank", "8", "Choose one of 4, 16, 64."],
  ["rank", "64", ""],
])("%s of '%s': %s", (key, text, problem) => {
  expect(problemOf(field(key), { [key]: text })).toBe(problem);
});

it("sends what differs from the defaults, in its type, and nothing while something is wrong", () => {
  expect(settingsOf(fields, {})).toEqual({});
  expect(settingsOf(fields, { steps: " 500 ", rate: "0.0002", rank: "4", face_refined: false, note: "x" })).toEqual({
    steps: 500,
    rank: 4,
    face_refined: false,
    note: "x",
  });
  expect(settingsOf(fields, { steps: "5" })).toBeNull();
  expect(settingsOf(fields, { weights: " models/a.safetensors \n\nb\n" })).toEqual({ weights: ["models/a.safetensors", "b"] });
  expect(settingsOf(fields, { weights: "a" })).toEqual({});
  expect(valueOf(field("rank"), { rank: "4" })).toBe(4);
});

it("fills a form from the settings of a job, and back", () => {
  const settings = { steps: 500, face_refined: false, rank: 4, weights: ["x", "y z"] };
  expect(settingsOf(fields, draftOf(settings))).toEqual(settings);
});
