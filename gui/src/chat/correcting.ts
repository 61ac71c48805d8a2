import { signal } from "@preact/signals";
import type { Result } from "../api/types";
import type { Turn } from "./turn";

/** The turn whose right place is being looked for. */
export const correcting = signal<Turn | null>(null);

/** Chunks that were picked here, so that their place can be named at once. */
export const places = signal<Record<number, Result>>({});

export function rememberPlace(result: Result): void {
  places.value = { ...places.value, [result.chunk_id]: result };
}
