import { signal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { count, plural } from "../lib/format";
import { keep, kept } from "../lib/storage";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { ask, asking, stop } from "./ask";
import { RepoPicker } from "./RepoPicker";
import { online } from "./state";

/** What is typed and not sent; kept over a reload. */
export const draft = signal(kept("draft", ""));

/** The server counts characters, not the halves that some are made of. */
const longest = LONGEST_QUESTION;

export function Composer() {
  const ref = useRef<HTMLTextAreaElement>(null);
  useEffect(() => ref.current?.focus(), []);
  const hint = useId();
  const busy = asking.value !== null;
  const left = longest - [...draft.value.trim()].length;
  const send = () => {
    const question = draft.value.trim();
    if (question === "" || busy || left < 0) return;
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
        value={draft.value}
        placeholder="Ask about the code"
        enterkeyhint="send"
        aria-keyshortcuts="/"
        aria-invalid={left < 0}
        aria-describedby={left < 0 ? hint : undefined}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      {left < 0 && (
        <p id={hint} class="bad small" role="alert">
          Too long to ask: a question has at most {count(longest)} characters. Shorten it; it is kept here.
        </p>
      )}
      <div class="composer-foot">
        <RepoPicker />
        <span class="grow" />
        {left < 500 && (
          <span class={left < 0 ? "bad small num" : "muted small num"}>
            {left < 0 ? `${plural(-left, "character")} too many` : `${plural(left, "character")} left`}
          </span>
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
            disabled={draft.value.trim() === "" || left < 0}
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
