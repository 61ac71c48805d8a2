import { useEffect } from "preact/hooks";
import { Announcer } from "../ui/Announcer";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { ThemeButton } from "../ui/ThemeButton";
import { Account } from "./Account";
import { Composer } from "./Composer";
import { CorrectionDialog } from "./CorrectionDialog";
import { correcting } from "./correcting";
import { HelpDialog } from "./HelpDialog";
import { me, shutOut } from "./me";
import { retrySaves, saves } from "./saves";
import { onKey } from "./shortcuts";
import { SignedOut } from "./SignedOut";
import { Sidebar } from "./Sidebar";
import {
  conversationId,
  helpOpen,
  inAddress,
  loadConversations,
  newConversation,
  online,
  openConversation,
  openError,
  opening,
  repos,
  sidebarOpen,
  title,
  turns,
} from "./state";
import { TurnView } from "./TurnView";
import { Welcome } from "./Welcome";

function goToAddress(): void {
  const id = inAddress();
  if (id === conversationId.value) return;
  if (id === null) newConversation();
  else void openConversation(id);
}

function start(): () => void {
  const connection = () => (online.value = navigator.onLine);
  void me.load().then(() => {
    if (shutOut.value) return;
    void repos.load();
    void loadConversations();
    goToAddress();
  });
  window.addEventListener("popstate", goToAddress);
  window.addEventListener("online", connection);
  window.addEventListener("offline", connection);
  window.addEventListener("keydown", onKey);
  return () => {
    window.removeEventListener("popstate", goToAddress);
    window.removeEventListener("online", connection);
    window.removeEventListener("offline", connection);
    window.removeEventListener("keydown", onKey);
  };
}

export function App() {
  useEffect(start, []);
  const waiting = Object.values(saves.value).filter((save) => save.state === "waiting").length;
  return (
    <div class="chat">
      <a class="skip" href="#question">
        Skip to the question
      </a>
      <Sidebar />
      <div class="chat-main">
        <header class="top">
          <IconButton
            icon="menu"
            label="Conversations"
            class="narrow-only"
            aria-expanded={sidebarOpen.value}
            aria-controls="sidebar"
            onClick={() => (sidebarOpen.value = true)}
          />
          <Title />
          <IconButton icon="keyboard" label="Keyboard shortcuts" class="wide-only" onClick={() => (helpOpen.value = true)} />
          <Account />
          <ThemeButton />
          <a class="button quiet" href="/admin">
            <Icon name="gear" small /> Admin
          </a>
        </header>
        {!online.value && (
          <p class="strip" role="alert">
            <Icon name="offline" small /> You are offline. What you type and rate is kept here and sent when the network is back.
          </p>
        )}
        {waiting > 0 && online.value && (
          <p class="strip" role="alert">
            <Icon name="warn" small /> A rating is not saved yet.
            <button type="button" class="button small" onClick={retrySaves}>
              Try now
            </button>
          </p>
        )}
        <main class="turns">
          <Body />
        </main>
        {!shutOut.value && <Composer />}
      </div>
      {helpOpen.value && <HelpDialog />}
      {correcting.value !== null && <CorrectionDialog turn={correcting.value} />}
      <Announcer />
    </div>
  );
}

function Title() {
  const shown = title.value;
  useEffect(() => {
    document.title = shown === "" ? "Rankloop" : `${shown} – Rankloop`;
  }, [shown]);
  return <span class="top-title truncate">{shown}</span>;
}

function Body() {
  if (shutOut.value && me.data.value !== null) return <SignedOut me={me.data.value} />;
  if (opening.value) return <Loading what="the conversation" />;
  if (openError.value !== "") {
    return (
      <div class="empty">
        <Notice tone="bad" urgent>
          {openError.value}
        </Notice>
        <button type="button" class="button" onClick={newConversation}>
          Start a new conversation
        </button>
      </div>
    );
  }
  const all = turns.value;
  if (all.length === 0) return <Welcome />;
  return (
    <>
      {all.map((turn, index) => (
        <TurnView key={turn.key} turn={turn} last={index === all.length - 1} />
      ))}
    </>
  );
}
