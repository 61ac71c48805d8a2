import { batch, signal } from "@preact/signals";
import * as api from "../api/client";
import { ApiError, isAbort, message } from "../api/http";
import type { ServerEvent } from "../api/sse";
import type { ChatCitations, ChatDone, ChatSources, ChatToken } from "../api/types";
import { announce } from "../lib/announce";
import { plural } from "../lib/format";
import { conversationId, loadConversations, repo, showInAddress, title, turns } from "./state";
import { newTurn, type Turn } from "./turn";

/** The turn that is being answered, if any. */
export const asking = signal<Turn | null>(null);

let control: AbortController | null = null;

export function stop(): void {
  control?.abort();
}

export function ask(question: string): void {
  if (asking.value !== null) return;
  const turn = newTurn(question, repo.value);
  turns.value = [...turns.value, turn];
  void answer(turn);
}

/** Ask the same question again in place of a turn that failed or was stopped. */
export function retry(old: Turn): void {
  if (asking.value !== null) return;
  const turn = newTurn(old.question, old.repo);
  turns.value = turns.value.map((each) => (each === old ? turn : each));
  void answer(turn);
}

async function answer(turn: Turn): Promise<void> {
  const mine = new AbortController();
  control = mine;
  asking.value = turn;
  announce("Searching the code");
  const form = { message: turn.question, conversation_id: conversationId.value, repo: turn.repo, stream: true };
  const writer = tokenWriter(turn);
  try {
    for await (const event of api.chat(form, mine.signal)) {
      if (event.event === "token") writer.add((event.data as ChatToken).text);
      else take(turn, event, writer);
    }
    writer.flush();
    if (turn.phase.value !== "done") throw new ApiError(0, "interrupted", "The answer broke off before its end.");
    announce(`Answer ready with ${plural(turn.citations.value.length, "cited source")}`);
  } catch (error) {
    writer.flush();
    turn.phase.value = isAbort(error) ? "stopped" : "failed";
    turn.error.value = isAbort(error) ? "" : message(error);
    if (isAbort(error)) await keepStopped(turn);
  } finally {
    if (asking.value === turn) asking.value = null;
    if (control === mine) control = null;
    void loadConversations();
  }
}

function take(turn: Turn, event: ServerEvent, writer: TokenWriter): void {
  switch (event.event) {
    case "sources":
      batch(() => {
        const data = event.data as ChatSources;
        turn.sources.value = data.sources;
        turn.query.value = data.query;
        turn.pendingId = data.answer_id;
        turn.version.value = data.model_version;
        turn.phase.value = "writing";
        if (turns.value.includes(turn)) enter(data.conversation_id, turn.question);
      });
      return;
    case "citations":
      turn.citations.value = (event.data as ChatCitations).citations;
      return;
    case "done":
      writer.flush();
      batch(() => {
        const data = event.data as ChatDone;
        turn.text.value = data.answer;
        turn.answerId.value = data.answer_id;
        turn.version.value = data.model_version;
        turn.generator.value = data.generator;
        turn.phase.value = "done";
        if (turns.value.includes(turn)) enter(data.conversation_id, turn.question);
      });
      return;
    case "error": {
      const { error } = event.data as { error: { code: string; message: string } };
      throw new ApiError(503, error.code, error.message);
    }
  }
}

/** The server stores what a reader who stops has seen; once it has, it can be rated like any answer. */
async function keepStopped(turn: Turn): Promise<void> {
  const id = turn.pendingId;
  for (let wait = 200; id !== null && wait <= 3200; wait *= 2) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      const stored = await api.answer(id);
      turn.citations.value = stored.citations;
      turn.generator.value = stored.generator;
      turn.answerId.value = id;
      return;
    } catch (error) {
      console.info("Not stored yet:", message(error));
    }
  }
}

/** A new conversation is called by its first question until the list says its title. */
function enter(id: string | null, question: string): void {
  if (id === null || conversationId.value === id) return;
  conversationId.value = id;
  title.value = question.split(/\s+/).join(" ").slice(0, 200);
  showInAddress(id, true);
}

interface TokenWriter {
  add: (text: string) => void;
  flush: () => void;
}

/** Tokens may come faster than frames: they are painted once a frame. */
function tokenWriter(turn: Turn): TokenWriter {
  let waiting = "";
  let frame = 0;
  const flush = (): void => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (waiting === "") return;
    turn.text.value += waiting;
    waiting = "";
  };
  return {
    add: (text) => {
      waiting += text;
      if (frame === 0) frame = requestAnimationFrame(flush);
    },
    flush,
  };
}
