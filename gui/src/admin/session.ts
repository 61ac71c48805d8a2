import { signal } from "@preact/signals";
import * as api from "../api/client";
import { ApiError, message } from "../api/http";
import type { SessionState } from "../api/types";

/** Null until the server has said who we are. */
export const session = signal<SessionState | null>(null);
export const sessionError = signal("");

export async function loadSession(): Promise<void> {
  try {
    session.value = await api.session();
    sessionError.value = "";
  } catch (error) {
    sessionError.value = message(error);
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
