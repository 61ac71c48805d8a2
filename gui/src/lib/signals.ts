import { signal, type Signal } from "@preact/signals";
import { message } from "../api/http";

/** Something fetched: what is known, what went wrong, and how to fetch it again. */
export interface Fetched<T> {
  data: Signal<T | null>;
  error: Signal<string>;
  load: () => Promise<void>;
}

/** The last load wins, so a slow earlier answer never overwrites a newer one. */
export function fetched<T>(get: () => Promise<T>): Fetched<T> {
  const data = signal<T | null>(null);
  const error = signal("");
  let latest = 0;
  const load = async (): Promise<void> => {
    const mine = ++latest;
    try {
      const value = await get();
      if (mine === latest) {
        data.value = value;
        error.value = "";
      }
    } catch (problem) {
      if (mine === latest) error.value = message(problem);
    }
  };
  return { data, error, load };
}
