import { signal } from "@preact/signals";
import * as api from "../api/client";
import { isAbort, message } from "../api/http";
import type { ConversationItem } from "../api/types";
import { fetched } from "../lib/signals";
import { keep, kept } from "../lib/storage";
import { withUnsaved } from "./saves";
import { storedTurn, type Turn } from "./turn";

export const repos = fetched(api.repos);
export const repo = signal<string | null>(kept<string | null>("repo", null));

export const conversations = signal<ConversationItem[] | null>(null);
export const conversationsError = signal("");
export const search = signal("");

export const conversationId = signal<string | null>(null);
/** Of the open conversation: known whatever the list is searched for. */
export const title = signal("");
export const turns = signal<Turn[]>([]);
/** Set while an earlier conversation is fetched, and when that failed. */
export const opening = signal(false);
export const openError = signal("");

export const sidebarOpen = signal(false);
export const helpOpen = signal(false);
export const online = signal(navigator.onLine);

export function chooseRepo(name: string | null): void {
  repo.value = name;
  keep("repo", name);
}

let listing: AbortController | null = null;

export async function loadConversations(): Promise<void> {
  listing?.abort();
  listing = new AbortController();
  try {
    conversations.value = await api.conversations(search.value.trim(), listing.signal);
    conversationsError.value = "";
    title.value = listed() ?? title.value;
  } catch (error) {
    if (!isAbort(error)) conversationsError.value = message(error);
  }
}

function listed(): string | undefined {
  return conversations.value?.find((item) => item.id === conversationId.value)?.title;
}

/** The address carries the conversation, so that reload and the back button keep it. */
export function showInAddress(id: string | null, replace = false): void {
  const url = id === null ? "/" : `/?c=${encodeURIComponent(id)}`;
  if (url === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}

export function inAddress(): string | null {
  return new URLSearchParams(location.search).get("c");
}

export async function openConversation(id: string): Promise<void> {
  sidebarOpen.value = false;
  conversationId.value = id;
  title.value = listed() ?? "";
  turns.value = [];
  openError.value = "";
  opening.value = true;
  try {
    const detail = await api.conversation(id);
    if (conversationId.value !== id) return;
    turns.value = detail.turns.map((turn) => {
      const rating = withUnsaved(turn.answer_id, turn.rating);
      return storedTurn({ ...turn, rating }, detail.repo);
    });
    repo.value = detail.repo;
    title.value = detail.title;
  } catch (error) {
    if (conversationId.value === id) openError.value = message(error);
  } finally {
    if (conversationId.value === id) opening.value = false;
  }
}

export function newConversation(): void {
  sidebarOpen.value = false;
  conversationId.value = null;
  title.value = "";
  turns.value = [];
  opening.value = false;
  openError.value = "";
  showInAddress(null);
}

export async function rename(id: string, wanted: string): Promise<void> {
  const renamed = await api.renameConversation(id, wanted);
  conversations.value = (conversations.value ?? []).map((item) => (item.id === id ? renamed : item));
  if (conversationId.value === id) title.value = renamed.title;
}

export async function remove(id: string): Promise<void> {
  await api.deleteConversation(id);
  conversations.value = (conversations.value ?? []).filter((item) => item.id !== id);
  if (conversationId.value === id) newConversation();
}
