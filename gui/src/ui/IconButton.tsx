import type { ComponentProps } from "preact";
import { Icon, type IconName } from "./Icon";

interface Props extends Omit<ComponentProps<"button">, "icon" | "label" | "size"> {
  icon: IconName;
  label: string;
  small?: boolean;
  filled?: boolean;
}

/** A button that shows only an icon: its label is its name and its tooltip. */
export function IconButton({ icon, label, small = false, filled = false, class: extra, ...rest }: Props) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      class={`icon-button ${small ? "small" : ""} ${typeof extra === "string" ? extra : ""}`}
    >
      <Icon name={icon} filled={filled} />
    </button>
  );
}
