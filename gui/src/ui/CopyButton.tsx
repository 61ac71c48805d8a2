import { useEffect, useState } from "preact/hooks";
import { announce } from "../lib/announce";
import { copyText } from "../lib/clipboard";
import { IconButton } from "./IconButton";

interface Props {
  text: string;
  label: string;
  onCopied?: () => void;
}

export function CopyButton({ text, label, onCopied }: Props) {
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
  const shown = { idle: label, done: "Copied", failed: "Copying was refused" }[state];
  return <IconButton small icon={state === "done" ? "check" : "copy"} label={shown} onClick={copy} />;
}
