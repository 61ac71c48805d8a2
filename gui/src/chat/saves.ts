/** Ratings on their way to the server: shown at once, saved at once, retried until acknowledged. */
import { signal } from "@preact/signals";
import * as api from "../api/client";
import { ApiError, message } from "../api/http";
import type { RatingForm, RatingState, Receipt } from "../api/types";
import { announce } from "../lib/announce";
import { keep, kept } from "../lib/storage";

/** One thing to save. Those with the same answer and target merge; the latest wins. */
type Change =
  | { answer: string; target: "answer"; form: RatingForm }
  | { answer: string; target: "chunk"; chunk: number; relevant: boolean | null }
  | { answer: string; target: "correction"; chunk: number | null };

export type SaveState = "saving" | "saved" | "waiting" | "refused";

export interface Save {
  state: SaveState;
  detail: string;
}

/** Answer id → how its last save stands. */
export const saves = signal<Record<string, Save>>({});
/** Answer id → what the server said became of its ratings, after the last save. */
export const receipts = signal<Record<string, Receipt>>({});

export const recorded = "Recorded. This trains search ranking.";
const takenBack = "Taken back. Nothing of it will be trained on.";
const waits = [1000, 2000, 5000, 10_000, 30_000];

const queue: Change[] = kept<Change[]>("unsaved", []);
let running = false;
let timer = 0;
let failures = 0;

/** Listeners that put the server's truth back on screen after a refused save. */
const refusals = new Set<(answer: string) => void>();

export function onRefused(listener: (answer: string) => void): void {
  refusals.add(listener);
}

export function save(change: Change): void {
  const same = queue.findIndex(
    (other, index) =>
      !(running && index === 0) &&
      other.answer === change.answer &&
      other.target === change.target &&
      (other.target !== "chunk" || change.target !== "chunk" || other.chunk === change.chunk),
  );
  if (same >= 0) {
    const [before] = queue.splice(same, 1);
    if (before?.target === "answer" && change.target === "answer") {
      change = { ...change, form: { ...before.form, ...change.form } };
    }
  }
  queue.push(change);
  remember();
  report(change.answer, "saving", "Saving…");
  void flush();
}

/** Try at once whatever still waits (the person asked, or the network is back). */
export function retrySaves(): void {
  failures = 0;
  void flush();
}

/** Overlay what is not acknowledged yet on what the server said, so that a reload shows it. */
export function withUnsaved(answer: string, rating: RatingState): RatingState {
  let result = rating;
  for (const change of queue) {
    if (change.answer !== answer) continue;
    if (change.target === "answer") result = { ...result, ...defined(change.form) };
    else if (change.target === "correction") result = { ...result, correction: change.chunk };
    else result = { ...result, chunks: vote(result.chunks, change.chunk, change.relevant) };
  }
  return result;
}

export function vote(chunks: RatingState["chunks"], chunk: number, relevant: boolean | null): RatingState["chunks"] {
  const next = { ...chunks };
  if (relevant === null) delete next[chunk];
  else next[chunk] = relevant;
  return next;
}

function empty({ thumb, stars, reasons, note, chunks, correction }: RatingState): boolean {
  const said = [thumb, stars, note, correction].some((each) => each !== null);
  return !said && reasons.length === 0 && Object.keys(chunks).length === 0;
}

function defined(form: RatingForm): Partial<RatingState> {
  const { reasons, ...rest } = form;
  return reasons === undefined ? rest : { ...rest, reasons: reasons ?? [] };
}

async function flush(): Promise<void> {
  if (running) return;
  running = true;
  clearTimeout(timer);
  try {
    for (let change = queue[0]; change !== undefined; change = queue[0]) {
      if (!(await attempt(change))) return;
      queue.shift();
      remember();
    }
  } finally {
    running = false;
  }
}

/** False when it must be tried again later. A refused change is dropped: trying again would not help. */
async function attempt(change: Change): Promise<boolean> {
  try {
    const receipt = await put(change);
    failures = 0;
    receipts.value = { ...receipts.value, [change.answer]: receipt };
    const detail = empty(receipt.rating) ? takenBack : recorded;
    report(change.answer, "saved", detail);
    announce(detail);
    return true;
  } catch (error) {
    if (error instanceof ApiError && !error.passing) {
      report(change.answer, "refused", `Not saved: ${error.message}`);
      for (const listener of refusals) listener(change.answer);
      return true;
    }
    report(change.answer, "waiting", `Not saved yet. ${message(error)} It is kept here and tried again.`);
    timer = window.setTimeout(() => void flush(), waits[Math.min(failures, waits.length - 1)]);
    failures += 1;
    return false;
  }
}

function put(change: Change): Promise<Receipt> {
  if (change.target === "answer") return api.rate(change.answer, change.form);
  if (change.target === "chunk") return api.rateChunk(change.answer, change.chunk, change.relevant);
  return api.correct(change.answer, change.chunk);
}

function report(answer: string, state: SaveState, detail: string): void {
  saves.value = { ...saves.value, [answer]: { state, detail } };
}

function remember(): void {
  keep("unsaved", queue.length === 0 ? null : queue);
}

window.addEventListener("online", retrySaves);
if (queue.length > 0) void flush();
