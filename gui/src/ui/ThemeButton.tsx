import { applyTheme, theme, type Theme } from "../lib/theme";
import { IconButton } from "./IconButton";

const order: Theme[] = ["system", "light", "dark"];
const icons = { system: "auto", light: "sun", dark: "moon" } as const;

export function ThemeButton() {
  const next = order[(order.indexOf(theme.value) + 1) % order.length] ?? "system";
  return (
    <IconButton
      icon={icons[theme.value]}
      label={`Theme: ${theme.value}. Switch to ${next}`}
      onClick={() => applyTheme(next)}
    />
  );
}
