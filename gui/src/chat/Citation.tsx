import type { Source } from "../api/types";
import { lines } from "../lib/format";

interface Props {
  n: number;
  source: Source | undefined;
  onFollow: () => void;
}

/** [n] in an answer: a button that leads to the source. A number without a source stays text. */
export function Citation({ n, source, onFollow }: Props) {
  if (source === undefined) return <span>[{n}]</span>;
  const place = `${source.path}:${lines(source.start_line, source.end_line)}`;
  return (
    <button type="button" class="citation" aria-label={`Source ${n}: ${place}`} title={place} onClick={onFollow}>
      {n}
    </button>
  );
}
