import { useEffect, useState } from "preact/hooks";
import { announce } from "../lib/announce";
import { copyText } from "../lib/clipboard";
import { Icon } from "./Icon";
import { IconButton } from "./IconButton";

interface Props {
  text: string;
  label: string;
  /** What it copies, in a word beside the icon; needed where two stand side by side. */
  shown?: string;
  onCopied?: () => void;
}

export function CopyButton({ text, label, shown, onCopied }: Props) {
  const [state, setState] = useState<"idle" | "done" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    copyText(text).then(
      () => {
        setState("done");
        announce("Copied");
        onCopied?.();
      },
      () => setState("failed"),
    );
  };
  const told = { idle: label, done: "Copied", failed: "Copying was refused" }[state];
  const icon = state === "done" ? "check" : "copy";
  if (shown === undefined) return <IconButton small icon={icon} label={told} onClick={copy} />;
  return (
    <button type="button" class="button quiet small" aria-label={told} title={told} onClick={copy}>
      <Icon name={icon} small /> {shown}
    </button>
  );
}
