import { signal } from "@preact/signals";
import { announce } from "../lib/announce";

/** What was just done, shown at the top of the page until the next thing. */
export const flash = signal("");

let timer = 0;

export function tell(text: string): void {
  flash.value = text;
  announce(text);
  clearTimeout(timer);
  timer = window.setTimeout(() => (flash.value = ""), 8000);
}
