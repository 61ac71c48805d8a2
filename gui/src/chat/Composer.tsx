import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { keep, kept } from "../lib/storage";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { ask, asking, stop } from "./ask";
import { RepoPicker } from "./RepoPicker";
import { online } from "./state";

/** What is typed and not sent; kept over a reload. */
export const draft = signal(kept("draft", ""));

const longest = 8000;

export function Composer() {
  const ref = useRef<HTMLTextAreaElement>(null);
  useEffect(() => ref.current?.focus(), []);
  const busy = asking.value !== null;
  const send = () => {
    const question = draft.value.trim();
    if (question === "" || busy) return;
    write("");
    ask(question);
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label class="sr-only" for="question">
        Question
      </label>
      <textarea
        id="question"
        ref={ref}
        rows={1}
        maxLength={longest}
        value={draft.value}
        placeholder="Ask about the code"
        enterkeyhint="send"
        aria-keyshortcuts="/"
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      <div class="composer-foot">
        <RepoPicker />
        <span class="grow" />
        {draft.value.length > longest - 500 && (
          <span class="muted small num">{longest - draft.value.length} characters left</span>
        )}
        {busy ? (
          <button type="button" class="button primary" onClick={stop} aria-keyshortcuts="Escape">
            <Icon name="stop" small filled /> Stop
          </button>
        ) : (
          <IconButton
            type="submit"
            icon="send"
            label={online.value ? "Ask" : "Ask (you are offline)"}
            class="send"
            disabled={draft.value.trim() === ""}
          />
        )}
      </div>
    </form>
  );
}

export function write(text: string): void {
  draft.value = text;
  keep("draft", text);
}
