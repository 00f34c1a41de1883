import { inject, type InjectionKey, type Ref } from "vue";

import { remembered } from "../../remembered";

export const SECTIONS = [
  { id: "jobs", title: "Fine-tunes" },
  { id: "datasets", title: "Datasets" },
  { id: "new", title: "New" },
] as const;

/** Where the user is. Empty ids: nothing is open. */
export interface Place {
  section: (typeof SECTIONS)[number]["id"];
  job: string;
  dataset: string;
}

export const PLACE: InjectionKey<Ref<Place>> = Symbol("echotorrent place");

export const rememberedPlace = (): Ref<Place> =>
  remembered<Place>("place", { section: "jobs", job: "", dataset: "" }, isPlace);

export function usePlace(): Ref<Place> {
  const found = inject(PLACE);
  if (!found) throw new Error("the views of training need their place");
  return found;
}

function isPlace(value: unknown): value is Place {
  const { section, job, dataset } = (value ?? {}) as Partial<Record<keyof Place, unknown>>;
  return SECTIONS.some(({ id }) => id === section) && typeof job === "string" && typeof dataset === "string";
}
