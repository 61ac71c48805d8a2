/** What a click on a rating control means: each act changes the screen at once and is saved at once. */
import * as api from "../api/client";
import type { RatingForm, RatingState } from "../api/types";
import { keep } from "../lib/storage";
import { mayRate } from "./me";
import { onRefused, save, vote } from "./saves";
import { turns } from "./state";
import type { Turn } from "./turn";

export const reasons = ["wrong file", "outdated code", "missing context", "not supported by the sources", "other"];

function change(turn: Turn, shown: Partial<RatingState>, form: RatingForm): void {
  const answer = turn.answerId.value;
  if (answer === null || !mayRate.value) return;
  turn.rating.value = { ...turn.rating.value, ...shown };
  save({ answer, target: "answer", form });
}

/** Where a note waits that is typed and not sent yet. */
export const noteDraft = (turn: Turn): string => `note:${turn.answerId.value}`;

/** A second click takes back all that was said of the answer; a flip clears stars and reasons, as the server does. */
export function thumb(turn: Turn, side: "up" | "down"): void {
  if (turn.rating.value.thumb === side) {
    keep(noteDraft(turn), null);
    change(turn, { thumb: null, stars: null, reasons: [], note: null }, { thumb: null, stars: null, reasons: null, note: null });
  }
  else {
    const flipped = turn.rating.value.thumb !== null;
    const cleared = { stars: null, reasons: [] };
    if (flipped) change(turn, { thumb: side, ...cleared }, { thumb: side, ...cleared });
    else change(turn, { thumb: side }, { thumb: side });
  }
}

/** Stars that contradict the thumb (1–2 beside up, 4–5 beside down) move the thumb with them. */
export function stars(turn: Turn, value: number): void {
  if (turn.rating.value.stars === value) return change(turn, { stars: null }, { stars: null });
  const side = value >= 4 ? "up" : value <= 2 ? "down" : null;
  const now = turn.rating.value.thumb;
  if (side !== null && now !== null && now !== side) {
    const moved = { thumb: side, stars: value, reasons: [] } as const;
    return change(turn, { ...moved, reasons: [] }, { ...moved, reasons: [] });
  }
  change(turn, { stars: value }, { stars: value });
}

export function reason(turn: Turn, name: string): void {
  const now = turn.rating.value.reasons;
  const next = now.includes(name) ? now.filter((each) => each !== name) : [...now, name];
  change(turn, { reasons: next }, { reasons: next });
}

export function note(turn: Turn, text: string): void {
  const value = text.trim() === "" ? null : text.trim();
  if (value !== turn.rating.value.note) change(turn, { note: value }, { note: value });
}

export function chunkVote(turn: Turn, chunk: number, relevant: boolean): void {
  const answer = turn.answerId.value;
  if (answer === null || !mayRate.value) return;
  const now = turn.rating.value.chunks[chunk];
  const next = now === relevant ? null : relevant;
  turn.rating.value = { ...turn.rating.value, chunks: vote(turn.rating.value.chunks, chunk, next) };
  save({ answer, target: "chunk", chunk, relevant: next });
}

export function correction(turn: Turn, chunk: number | null): void {
  const answer = turn.answerId.value;
  if (answer === null || !mayRate.value) return;
  turn.rating.value = { ...turn.rating.value, correction: chunk };
  save({ answer, target: "correction", chunk });
}

/** Opening, copying and clicking a source are weak signals; losing one harms nobody, so they are not retried. */
export function noticed(turn: Turn, type: "click" | "copy" | "open", chunk: number): void {
  const answer = turn.answerId.value;
  if (answer === null || !mayRate.value) return;
  api.recordEvent(answer, { type, chunk_id: chunk }).catch((error: unknown) => console.warn("Not recorded:", error));
}

/** The server said no: show what it holds instead of what was clicked. */
onRefused((answer) => {
  const turn = turns.value.find((each) => each.answerId.value === answer);
  if (turn === undefined) return;
  api.receipt(answer).then(
    (receipt) => {
      turn.rating.value = receipt.rating;
    },
    (error: unknown) => console.warn("No receipt:", error),
  );
});
