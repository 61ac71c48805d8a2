import { me, signOut } from "./me";

/** Whose name stands under what is asked and rated; nothing for the local person. */
export function Account() {
  const who = me.data.value;
  if (who === null || !who.person) return null;
  return (
    <>
      <span class="muted small truncate" title={`Signed in as ${who.actor}`}>
        Signed in as {who.actor}
      </span>
      {who.expires_at !== null && (
        <button type="button" class="button quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      )}
    </>
  );
}
