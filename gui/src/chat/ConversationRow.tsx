import { useState } from "preact/hooks";
import { message } from "../api/http";
import type { ConversationItem } from "../api/types";
import { ago } from "../lib/format";
import { Dialog } from "../ui/Dialog";
import { IconButton } from "../ui/IconButton";
import { Notice } from "../ui/Notice";
import { stop } from "./ask";
import { conversationId, openConversation, remove, rename, showInAddress } from "./state";

export function ConversationRow({ item }: { item: ConversationItem }) {
  const [mode, setMode] = useState<"plain" | "renaming" | "deleting">("plain");
  const current = conversationId.value === item.id;
  const done = () => setMode("plain");
  if (mode === "renaming") return <Rename item={item} onDone={done} />;
  return (
    <li class={current ? "conversation current" : "conversation"}>
      <a
        href={`/?c=${encodeURIComponent(item.id)}`}
        aria-current={current ? "page" : undefined}
        title={item.title}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          if (current) return;
          stop();
          showInAddress(item.id);
          void openConversation(item.id);
        }}
      >
        <span class="truncate">{item.title}</span>
        <span class="conversation-meta">
          {ago(item.updated_at)}
          {item.repo !== null && ` · ${item.repo}`}
        </span>
      </a>
      <span class="conversation-tools">
        <IconButton small icon="edit" label={`Rename ${item.title}`} onClick={() => setMode("renaming")} />
        <IconButton small icon="trash" label={`Delete ${item.title}`} onClick={() => setMode("deleting")} />
      </span>
      {mode === "deleting" && <Delete item={item} onDone={done} />}
    </li>
  );
}

function Rename({ item, onDone }: { item: ConversationItem; onDone: () => void }) {
  const [title, setTitle] = useState(item.title);
  const [error, setError] = useState("");
  const submit = () => {
    const next = title.trim();
    if (next === "" || next === item.title) return onDone();
    rename(item.id, next).then(onDone, (problem: unknown) => setError(message(problem)));
  };
  return (
    <li class="conversation">
      <form
        class="grow"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <input
          class="input"
          aria-label="Conversation name"
          value={title}
          maxLength={200}
          ref={(input) => input?.focus()}
          onInput={(event) => setTitle(event.currentTarget.value)}
          onBlur={submit}
          onKeyDown={(event) => {
            if (event.key === "Escape") onDone();
          }}
        />
        {error !== "" && (
          <p class="bad small" role="alert">
            {error}
          </p>
        )}
      </form>
    </li>
  );
}

function Delete({ item, onDone }: { item: ConversationItem; onDone: () => void }) {
  const [error, setError] = useState("");
  const act = () => remove(item.id).then(onDone, (problem: unknown) => setError(message(problem)));
  return (
    <Dialog title="Delete this conversation?" onClose={onDone}>
      <p class="wrap-anywhere">“{item.title}” disappears from your list. Ratings you gave in it keep teaching the search.</p>
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onDone}>
          Keep it
        </button>
        <button type="button" class="button danger" onClick={() => void act()}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
