import { isTyping } from "../lib/keys";
import { asking, stop } from "./ask";
import { correcting } from "./correcting";
import { focusSource } from "./focus";
import { chunkVote, stars, thumb } from "./rating";
import { helpOpen, sidebarOpen, turns } from "./state";
import type { Turn } from "./turn";

/** The turn that keys act on: the one that holds the focus, else the last. */
function current(): Turn | undefined {
  const key = document.activeElement?.closest<HTMLElement>("[data-turn]")?.dataset.turn;
  return turns.value.find((turn) => turn.key === key) ?? turns.value.at(-1);
}

function focusedChunk(): number | null {
  const chunk = document.activeElement?.closest<HTMLElement>("[data-chunk]")?.dataset.chunk;
  return chunk === undefined ? null : Number(chunk);
}

function step(turn: Turn, by: 1 | -1): void {
  const sources = turn.sources.value;
  const at = sources.findIndex((source) => source.chunk_id === focusedChunk());
  const next = sources[at < 0 ? (by > 0 ? 0 : sources.length - 1) : Math.min(Math.max(at + by, 0), sources.length - 1)];
  if (next !== undefined) focusSource(turn, next.n);
}

function escape(): void {
  if (asking.value !== null) stop();
  else if (sidebarOpen.value) sidebarOpen.value = false;
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

function vote(turn: Turn, up: boolean): void {
  const chunk = focusedChunk();
  if (chunk === null) thumb(turn, up ? "up" : "down");
  else chunkVote(turn, chunk, up);
}

/** True when the key meant something here. */
function act(key: string): boolean {
  if (key === "/") {
    document.getElementById("question")?.focus();
    return true;
  }
  if (key === "?") {
    helpOpen.value = true;
    return true;
  }
  const turn = current();
  if (turn === undefined) return false;
  if (key === "j" || key === "k") step(turn, key === "j" ? 1 : -1);
  else if (turn.answerId.value === null) return false;
  else if (key === "u" || key === "d") vote(turn, key === "u");
  else if (key >= "1" && key <= "5" && key.length === 1) stars(turn, Number(key));
  else if (key === "c") correcting.value = turn;
  else return false;
  return true;
}

export function onKey(event: KeyboardEvent): void {
  if (event.key === "Escape" && !event.defaultPrevented && document.querySelector("dialog[open]") === null) {
    escape();
    return;
  }
  if (!isTyping(event) && act(event.key)) event.preventDefault();
}
