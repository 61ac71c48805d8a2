import { signal } from "@preact/signals";
import { keep, kept } from "./storage";

export type Theme = "system" | "light" | "dark";

export const theme = signal<Theme>(kept<Theme>("theme", "system"));

export function applyTheme(next: Theme): void {
  theme.value = next;
  keep("theme", next === "system" ? null : next);
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
}
