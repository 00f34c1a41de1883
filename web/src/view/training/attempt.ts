import { ref, type Ref } from "vue";

import { Away, messageOf } from "../../http";
import { sentence } from "../words";

/** Something the user asked for, of which a refusal is to be shown. */
export interface Attempt {
  readonly busy: Ref<boolean>;
  /** Why the last try failed, as a sentence; empty if it did not. */
  readonly problem: Ref<string>;
  /** Whether it went well. */
  run(work: () => Promise<unknown>): Promise<boolean>;
}

export function useAttempt(): Attempt {
  const busy = ref(false);
  const problem = ref("");
  async function run(work: () => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    problem.value = "";
    try {
      await work();
      return true;
    } catch (error) {
      problem.value = error instanceof Away ? "ComfyUI does not answer. Try again when it is back." : sentence(messageOf(error));
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, problem, run };
}
