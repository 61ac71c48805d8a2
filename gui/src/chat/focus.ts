import { signal } from "@preact/signals";
import type { Turn } from "./turn";

/** The source that was last led to, as `turn key:n`; its card opens and is ringed. */
export const focused = signal("");

export function sourceId(turn: Turn, n: number): string {
  return `source-${turn.key}-${n}`;
}

export function focusSource(turn: Turn, n: number): void {
  focused.value = `${turn.key}:${n}`;
  const card = document.getElementById(sourceId(turn, n));
  card?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: "nearest", behavior: "smooth" });
}
