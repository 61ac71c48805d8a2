import { signal, type Signal } from "@preact/signals";
import type { ConversationTurn, RatingState, Source } from "../api/types";

export type Phase = "searching" | "writing" | "done" | "stopped" | "failed";

/** One question and what is known of its answer. Each part is a signal, so a token repaints one paragraph. */
export interface Turn {
  key: string;
  question: string;
  repo: string | null;
  phase: Signal<Phase>;
  text: Signal<string>;
  sources: Signal<Source[]>;
  citations: Signal<number[]>;
  /** The id that the answer will have once it is stored. */
  pendingId: string | null;
  /** Null until the answer is stored: only then can it be rated. */
  answerId: Signal<string | null>;
  version: Signal<number | null>;
  /** What was searched with; empty until it is known. */
  query: Signal<string>;
  generator: Signal<string>;
  error: Signal<string>;
  rating: Signal<RatingState>;
}

export const unrated: RatingState = { thumb: null, stars: null, reasons: [], note: null, chunks: {}, correction: null };

let keys = 0;

export function newTurn(question: string, repo: string | null): Turn {
  keys += 1;
  return {
    key: `t${keys}`,
    question,
    repo,
    phase: signal<Phase>("searching"),
    text: signal(""),
    sources: signal<Source[]>([]),
    citations: signal<number[]>([]),
    pendingId: null,
    answerId: signal<string | null>(null),
    version: signal<number | null>(null),
    query: signal(""),
    generator: signal(""),
    error: signal(""),
    rating: signal<RatingState>(unrated),
  };
}

export function storedTurn(stored: ConversationTurn, repo: string | null): Turn {
  const turn = newTurn(stored.question, repo);
  turn.phase.value = "done";
  turn.text.value = stored.answer;
  turn.sources.value = stored.sources;
  turn.citations.value = stored.citations;
  turn.answerId.value = stored.answer_id;
  turn.version.value = stored.model_version;
  turn.query.value = stored.query;
  turn.generator.value = stored.generator;
  turn.rating.value = stored.rating;
  return turn;
}
