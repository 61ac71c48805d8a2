import type { Turn } from "./turn";

/** What was searched with, where that is not what was asked: a follow-up goes together with an earlier question. */
export function SearchedAs({ turn }: { turn: Turn }) {
  const query = turn.query.value;
  if (query === "" || query === turn.question.trim()) return null;
  return <p class="searched-as muted small">Searched as: {query.split("\n").join(" · ")}</p>;
}
