import type { ComponentChildren } from "preact";

export function Stat({ name, value, children }: { name: ComponentChildren; value: string; children?: ComponentChildren }) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd class="num">{value}</dd>
      {children !== undefined && <dd class="stat-note">{children}</dd>}
    </div>
  );
}
