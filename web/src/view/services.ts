import { inject, type InjectionKey } from "vue";

import type { Host } from "../adapter";
import type { Client } from "../runs/client";
import type { Store } from "../runs/store";
import type { TrainingStore } from "../training/store";

/** What every view may use. */
export interface Services {
  client: Client;
  store: Store;
  training: TrainingStore;
  host: Host;
  autoplay: () => boolean;
}

export const KEY: InjectionKey<Services> = Symbol("echotorrent");

export function services(): Services {
  const found = inject(KEY);
  if (!found) throw new Error("the views of EchoTorrent need their services");
  return found;
}
