import { plural } from "../lib/format";

/** The signals that are counted as ratings, here as on the chart of days; the others say more of one, or are uses. */
export const ratings = ["thumb", "stars", "chunk_vote", "correction"];

const names: Record<string, [one: string, many: string]> = {
  thumb: ["thumb", "thumbs"],
  stars: ["star rating", "star ratings"],
  reasons: ["reason", "reasons"],
  note: ["note", "notes"],
  chunk_vote: ["chunk vote", "chunk votes"],
  correction: ["correction", "corrections"],
  click: ["click", "clicks"],
  copy: ["copy", "copies"],
  open: ["opening", "openings"],
};

/** "2 chunk votes" */
export function signals(kind: string, n: number): string {
  const [one, many] = names[kind] ?? [kind, kind];
  return plural(n, one, many);
}
