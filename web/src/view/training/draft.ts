import type { Ref } from "vue";

import { remembered } from "../../remembered";
import type { Draft } from "../../training/form";

/** What was filled into the form of a new fine-tune. */
export interface JobDraft {
  name: string;
  preset: string;
  dataset: string;
  device: string;
  /** By preset: only what was changed. */
  values: Record<string, Draft>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isDraft(value: unknown): value is JobDraft {
  if (!isObject(value) || !isObject(value["values"])) return false;
  const texts = ["name", "preset", "dataset", "device"].every((key) => typeof value[key] === "string");
  const settings = Object.values(value["values"]);
  return texts && settings.every((one) => isObject(one) && Object.values(one).every((it) => ["string", "boolean"].includes(typeof it)));
}

let draft: Ref<JobDraft> | undefined;

/** One for the whole page, so that other views can fill in a dataset. */
export function rememberedDraft(): Ref<JobDraft> {
  draft ??= remembered("draft", { name: "", preset: "", dataset: "", device: "", values: {} }, isDraft);
  return draft;
}
