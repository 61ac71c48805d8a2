/** Who is in front of the page, and what they may do. */
import { computed } from "@preact/signals";
import * as api from "../api/client";
import { onSignInNeeded } from "../api/http";
import { fetched } from "../lib/signals";
import { keep } from "../lib/storage";

export const me = fetched(api.session);

/** Known to be shut out. While it is not known, or the server does not say, the page goes on and the calls themselves tell. */
export const shutOut = computed(() => me.data.value?.may_ask === false);
export const mayRate = computed(() => me.data.value?.may_rate !== false);
export const mayNotRate = "You may ask here, but not rate. Administrators give the role “rater”.";

/** Ends the session here and on the server. What was not saved yet was this person's, and goes with them. */
export async function signOut(): Promise<void> {
  await api.signOut();
  keep("unsaved", null);
  location.assign("/");
}

onSignInNeeded(() => void me.load());
