import { plural } from "../lib/format";

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
