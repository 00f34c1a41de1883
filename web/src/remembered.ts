import { ref, watch, type Ref } from "vue";

const PREFIX = "EchoTorrent.panel.";

type Shelf = Pick<Storage, "getItem" | "setItem">;

/**
 * A choice that outlives a reload, in the browser's storage. What was stored counts only if it `holds`: it may come
 * from another version. Without storage (a private window) it lives as long as the page.
 */
export function remembered<T>(
  name: string,
  first: T,
  holds: (value: unknown) => value is T,
  shelf: Shelf | undefined = storage(),
): Ref<T> {
  const value = ref(read(shelf, name, first, holds)) as Ref<T>;
  watch(value, (now) => write(shelf, name, now), { deep: true, flush: "sync" });
  return value;
}

export const isText = (value: unknown): value is string => typeof value === "string";
export const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
export const isShare = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1;

export function isRecord<T>(of: (value: unknown) => value is T): (value: unknown) => value is Record<string, T> {
  return (value): value is Record<string, T> =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(of);
}

function storage(): Shelf | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

function read<T>(shelf: Shelf | undefined, name: string, first: T, holds: (value: unknown) => value is T): T {
  try {
    const found: unknown = JSON.parse(shelf?.getItem(PREFIX + name) ?? "null");
    return holds(found) ? found : first;
  } catch {
    return first;
  }
}

function write(shelf: Shelf | undefined, name: string, value: unknown): void {
  try {
    shelf?.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // full or forbidden: it lives as long as the page
  }
}
