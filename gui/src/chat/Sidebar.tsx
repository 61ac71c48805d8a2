import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { Brand } from "../ui/Brand";
import { ConversationRow } from "./ConversationRow";
import { conversations, conversationsError, loadConversations, newConversation, search, sidebarOpen, turns } from "./state";
import { stop } from "./ask";
import { shutOut } from "./me";

let timer = 0;

/** Earlier conversations. On a phone it lies over the page and closes on its own. */
export function Sidebar() {
  return (
    <>
      {sidebarOpen.value && <div class="scrim" onClick={() => (sidebarOpen.value = false)} />}
      <nav id="sidebar" class={sidebarOpen.value ? "sidebar open" : "sidebar"} aria-label="Conversations">
        <div class="sidebar-head">
          <Brand />
          <IconButton icon="close" label="Close the list" class="narrow-only" onClick={() => (sidebarOpen.value = false)} />
        </div>
        <button
          type="button"
          class="button new-question"
          onClick={() => {
            stop();
            newConversation();
            document.getElementById("question")?.focus();
          }}
        >
          <Icon name="plus" small /> New conversation
        </button>
        <label class="sidebar-search">
          <span class="sr-only">Search conversations</span>
          <Icon name="search" small />
          <input
            type="search"
            placeholder="Search conversations"
            maxLength={200}
            value={search.value}
            onInput={(event) => {
              search.value = event.currentTarget.value;
              clearTimeout(timer);
              timer = window.setTimeout(() => void loadConversations(), 200);
            }}
          />
        </label>
        <List />
      </nav>
    </>
  );
}

function List() {
  const items = conversations.value;
  if (shutOut.value) return null;
  if (conversationsError.value !== "") {
    return (
      <p class="sidebar-note" role="alert">
        {conversationsError.value}{" "}
        <button type="button" class="button small" onClick={() => void loadConversations()}>
          Try again
        </button>
      </p>
    );
  }
  if (items === null) return <p class="sidebar-note">Loading…</p>;
  if (items.length === 0) {
    if (search.value.trim() !== "") return <p class="sidebar-note">No conversation holds these words.</p>;
    return turns.value.length > 0 ? null : <p class="sidebar-note">Your conversations appear here.</p>;
  }
  return (
    <ul class="conversations">
      {items.map((item) => (
        <ConversationRow key={item.id} item={item} />
      ))}
    </ul>
  );
}
