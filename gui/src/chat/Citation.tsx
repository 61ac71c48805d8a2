import type { Source } from "../api/types";
import { named } from "./Where";
import type { Turn } from "./turn";

interface Props {
  n: number;
  source: Source | undefined;
  turn: Turn;
  onFollow: () => void;
}

/** [n] in an answer: a button that leads to the source. A number without a source stays text. */
export function Citation({ n, source, turn, onFollow }: Props) {
  if (source === undefined) return <span>[{n}]</span>;
  const place = named(source, turn);
  return (
    <button type="button" class="citation" aria-label={`Source ${n}: ${place}`} title={place} onClick={onFollow}>
      {n}
    </button>
  );
}
