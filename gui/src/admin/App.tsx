import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Announcer } from "../ui/Announcer";
import { Brand } from "../ui/Brand";
import { Icon } from "../ui/Icon";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { ThemeButton } from "../ui/ThemeButton";
import { DataPage } from "./DataPage";
import { DeploymentsPage } from "./DeploymentsPage";
import { flash } from "./flash";
import { IndexPage } from "./IndexPage";
import { JobsPage } from "./JobsPage";
import { OverviewPage } from "./OverviewPage";
import { pages, route, type Page } from "./route";
import { isAdmin, loadSession, session, sessionError, signOut } from "./session";
import { SignIn } from "./SignIn";
import { VersionsPage } from "./VersionsPage";

const views: Record<Page, () => JSX.Element> = {
  overview: OverviewPage,
  versions: VersionsPage,
  deployments: DeploymentsPage,
  jobs: JobsPage,
  data: DataPage,
  index: IndexPage,
};

export function App() {
  useEffect(() => void loadSession(), []);
  const state = session.value;
  if (state === null) {
    return (
      <main class="sign-in">
        {sessionError.value === "" ? (
          <Loading what="the admin page" />
        ) : (
          <Notice tone="bad" urgent>
            {sessionError.value}{" "}
            <button type="button" class="button small" onClick={() => void loadSession()}>
              Try again
            </button>
          </Notice>
        )}
      </main>
    );
  }
  return isAdmin(state) ? <Signed /> : <SignIn />;
}

function Signed() {
  const page = route.value.page;
  const View = views[page];
  useEffect(() => {
    document.title = `${pages[page]} – Rankloop admin`;
    window.scrollTo(0, 0);
  }, [page]);
  return (
    <div class="admin">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to the page
      </a>
      <header class="admin-top">
        <Brand />
        <span class="badge">admin</span>
        <span class="grow" />
        <ThemeButton />
        <a class="button quiet small" href="/">
          Chat
        </a>
        <button type="button" class="button quiet small" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <nav class="admin-nav" aria-label="Admin">
        {Object.entries(pages).map(([key, name]) => (
          <a key={key} href={`#${key}`} aria-current={key === page ? "page" : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <main id="main" class="admin-main" tabIndex={-1}>
        {flash.value !== "" && (
          <p class="flash">
            <Icon name="check" small /> {flash.value}
          </p>
        )}
        <View key={page} />
      </main>
      <Announcer />
    </div>
  );
}
