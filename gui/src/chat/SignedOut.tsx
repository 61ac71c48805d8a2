import type { SessionState } from "../api/types";

/** In place of the chat for somebody who may not ask: how to come in. */
export function SignedOut({ me }: { me: SessionState }) {
  if (me.signed_in) {
    return (
      <div class="empty">
        <h1>You have no role here</h1>
        <p>You are signed in as {me.actor}, but your groups give you no role. Ask an administrator.</p>
      </div>
    );
  }
  return (
    <div class="empty">
      <h1>Sign in to ask</h1>
      {me.ways.includes("oidc") && (
        <p>
          <a class="button primary" href="/api/session/oidc">
            Sign in
          </a>
        </p>
      )}
      {me.ways.includes("proxy") && (
        <p>Your team’s proxy signs people in: open this page through its address, and come back if it has signed you out.</p>
      )}
      {me.ways.length === 0 && (
        <p>
          Other machines reach this server, and sign-in for people is not set up. Administrators find how in <code>docs/deploy.md</code>.
        </p>
      )}
    </div>
  );
}
