/** The form of a preset's settings, made from its JSON schema. */

import type { Setting, Settings, SettingSchema, Preset } from "./types";

export interface Field {
  key: string;
  kind: "integer" | "number" | "boolean" | "choice" | "text" | "list";
  title: string;
  help: string;
  initial: Setting;
  /** The values it may have, of kind "choice". */
  choices: readonly (number | string | boolean)[];
  minimum: number;
  maximum: number;
  /** Whether the ends themselves are allowed. */
  withMinimum: boolean;
  withMaximum: boolean;
  advanced: boolean;
}

/** What stands in the inputs: numbers are text until they are sent, and lists have a line for each entry. */
export type Draft = Readonly<Record<string, string | boolean>>;

const isPlain = (value: unknown): value is number | string | boolean =>
  ["number", "string", "boolean"].includes(typeof value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

/** Settings that cannot be shown as an input, such as objects, are left at their default. */
export function fieldsOf(schema: Preset["schema"]): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => fieldOf(key, property) ?? []);
}

function fieldOf(key: string, property: SettingSchema): Field | undefined {
  const choices = (property.enum ?? []).filter(isPlain);
  const kind = choices.length ? "choice" : kindOf(property);
  if (!kind) return undefined;
  const { exclusiveMinimum: above, exclusiveMaximum: below } = property;
  return {
    key,
    kind,
    title: property.title ?? titleOf(key),
    help: property.description ?? "",
    initial: initialOf(kind, property.default, choices),
    choices,
    minimum: above ?? property.minimum ?? -Infinity,
    maximum: below ?? property.maximum ?? Infinity,
    withMinimum: above === undefined,
    withMaximum: below === undefined,
    advanced: property.group === "advanced",
  };
}

function initialOf(kind: Field["kind"], given: unknown, choices: Field["choices"]): Setting {
  if (kind === "list") return isTexts(given) ? given : [];
  if (isPlain(given)) return given;
  return choices[0] ?? (kind === "boolean" ? false : "");
}

function kindOf({ type, items }: SettingSchema): Field["kind"] | undefined {
  const types: readonly string[] = typeof type === "string" ? [type] : (type ?? []);
  if (types.includes("number")) return "number";
  if (types.includes("integer")) return "integer";
  if (types.includes("boolean")) return "boolean";
  if (types.includes("string")) return "text";
  return types.includes("array") && items && kindOf(items) === "text" ? "list" : undefined;
}

/** "prior_weight" as "Prior weight". */
function titleOf(key: string): string {
  const words = key.replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What stands in an input. */
export function shown(field: Field, draft: Draft): string | boolean {
  return draft[field.key] ?? textOf(field.initial);
}

/** A setting as its input shows it. */
function textOf(value: Setting): string | boolean {
  if (typeof value === "boolean") return value;
  return isTexts(value) ? value.join("\n") : String(value);
}

/** The value of what stands in an input; undefined if it is none. */
export function valueOf(field: Field, draft: Draft): Setting | undefined {
  const given = shown(field, draft);
  if (field.kind === "boolean") return given === true;
  if (field.kind === "choice") return field.choices.find((choice) => String(choice) === given);
  const text = String(given).trim();
  if (field.kind === "list") return text.split(/\s*\n\s*/).filter(Boolean);
  if (field.kind === "text") return text;
  const number = Number(text.replace(",", "."));
  return text === "" || !Number.isFinite(number) ? undefined : number;
}

/** What is wrong with what stands in an input, as a sentence; empty if nothing is. */
export function problemOf(field: Field, draft: Draft): string {
  const value = valueOf(field, draft);
  if (field.kind === "choice") return value === undefined ? `Choose one of ${field.choices.join(", ")}.` : "";
  if (field.kind !== "integer" && field.kind !== "number") return "";
  const whole = field.kind === "integer";
  const { minimum, maximum, withMinimum, withMaximum } = field;
  const fits =
    typeof value === "number" &&
    (!whole || Number.isInteger(value)) &&
    (withMinimum ? value >= minimum : value > minimum) &&
    (withMaximum ? value <= maximum : value < maximum);
  return fits ? "" : `Give a ${whole ? "whole " : ""}number${limits(field)}.`;
}

function limits({ minimum, maximum, withMinimum, withMaximum }: Field): string {
  const [low, high] = [Number.isFinite(minimum), Number.isFinite(maximum)];
  if (low && high && withMinimum && withMaximum) return ` from ${minimum} to ${maximum}`;
  const above = low ? ` ${withMinimum ? "from" : "above"} ${minimum}` : "";
  const below = high ? ` ${withMaximum ? "up to" : "below"} ${maximum}` : "";
  return above + (above && below ? "," : "") + below;
}

/** What differs from the defaults, as the server takes it; null while something is wrong. */
export function settingsOf(fields: readonly Field[], draft: Draft): Settings | null {
  const found: Record<string, Setting> = {};
  for (const field of fields) {
    const value = valueOf(field, draft);
    if (value === undefined || problemOf(field, draft)) return null;
    if (String(value) !== String(field.initial)) found[field.key] = value;
  }
  return found;
}

/** A draft that stands for given settings, of a job that is made again. */
export function draftOf(settings: Settings): Draft {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, textOf(value)]));
}
