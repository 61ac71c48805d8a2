import { useState } from "preact/hooks";
import { Brand } from "../ui/Brand";
import { Notice } from "../ui/Notice";
import { ThemeButton } from "../ui/ThemeButton";
import { linkError, session, signIn } from "./session";
import { useAct } from "./useAct";

export function SignIn() {
  const [token, setToken] = useState("");
  const { busy, error, act } = useAct();
  return (
    <main class="sign-in">
      <div class="row">
        <Brand />
        <span class="grow" />
        <ThemeButton />
      </div>
      <form
        class="panel stack"
        onSubmit={(event) => {
          event.preventDefault();
          act(() => signIn(token.trim()));
        }}
      >
        <h1>Sign in to the admin page</h1>
        <p class="muted">
          The token is in the file <code>admin-token</code> of the data directory, or what <code>RANKLOOP_ADMIN_TOKEN</code>{" "}
          says. <code>make run</code> also prints a one-time link.
        </p>
        <div class="field">
          <label for="token">Admin token</label>
          <input
            id="token"
            class="input"
            type="password"
            autocomplete="current-password"
            required
            value={token}
            ref={(input) => input?.focus()}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </div>
        {(error !== "" || linkError.value !== "") && (
          <Notice tone="bad" urgent>
            {error === "" ? linkError.value : error}
          </Notice>
        )}
        <div class="row">
          <button type="submit" class="button primary" disabled={busy || token.trim() === ""}>
            {busy ? "Signing in…" : "Sign in"}
          </button>
          {session.value?.ways.includes("oidc") === true && (
            <a class="button" href="/api/session/oidc?to=admin">
              Sign in as yourself
            </a>
          )}
          <a class="button quiet" href="/">
            Back to the chat
          </a>
        </div>
      </form>
    </main>
  );
}
