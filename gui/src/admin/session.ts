import { signal } from "@preact/signals";
import * as api from "../api/client";
import { ApiError, message } from "../api/http";
import type { SessionState } from "../api/types";

/** Null until the server has said who we are. */
export const session = signal<SessionState | null>(null);
export const sessionError = signal("");
/** Why a one-time link did not sign in. */
export const linkError = signal("");

/** Who we are; a one-time link in the address (#link=…) signs in first and is taken out of the address. */
export async function loadSession(): Promise<void> {
  const link = /^#link=(.+)$/.exec(location.hash)?.[1];
  try {
    if (link === undefined) session.value = await api.session();
    else session.value = await followLink(link);
    sessionError.value = "";
  } catch (error) {
    sessionError.value = message(error);
  }
}

async function followLink(link: string): Promise<SessionState> {
  history.replaceState(null, "", "/admin");
  try {
    return await api.signIn({ link });
  } catch (error) {
    linkError.value = message(error);
    return api.session();
  }
}

export async function signIn(token: string): Promise<void> {
  session.value = await api.signIn({ token });
}

export async function signOut(): Promise<void> {
  await api.signOut();
  await loadSession();
}

export function isAdmin(state: SessionState): boolean {
  return state.signed_in && state.role === "admin";
}

/** A call that was refused because the session ended brings the sign-in form back. */
export function noticeRefusal(error: unknown): void {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) void loadSession();
}
