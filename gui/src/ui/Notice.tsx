import type { ComponentChildren } from "preact";
import { Icon } from "./Icon";

interface Props {
  tone?: "plain" | "warn" | "bad";
  children: ComponentChildren;
  /** Spoken at once by screen readers. */
  urgent?: boolean;
}

/** A boxed message: what is the matter and what to do. */
export function Notice({ tone = "plain", urgent = false, children }: Props) {
  return (
    <div class={`notice ${tone}`} role={urgent ? "alert" : undefined}>
      <Icon name={tone === "plain" ? "info" : "warn"} />
      <div class="grow wrap-anywhere">{children}</div>
    </div>
  );
}
