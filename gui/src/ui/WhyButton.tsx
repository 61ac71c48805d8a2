import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  /** Why the button can't be used now; empty when it can. */
  why: string;
  class?: string;
  label?: string;
  onClick: () => void;
  children: ComponentChildren;
}

/** A button that says why it is disabled: it stays reachable, and the reason is its description and tooltip. */
export function WhyButton({ why, class: extra = "", label, onClick, children }: Props) {
  const id = useId();
  return (
    <>
      <button
        type="button"
        class={`button ${extra}`}
        aria-label={label}
        aria-disabled={why !== ""}
        aria-describedby={why === "" ? undefined : id}
        title={why === "" ? undefined : why}
        onClick={() => {
          if (why === "") onClick();
        }}
      >
        {children}
      </button>
      {why !== "" && (
        <span id={id} class="sr-only">
          {why}
        </span>
      )}
    </>
  );
}
