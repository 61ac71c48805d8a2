import { count, plural } from "../lib/format";

interface Props {
  /** One of them, in a word that takes an s. */
  what: string;
  offset: number;
  size: number;
  total: number;
  onMove: (offset: number) => void;
}

export function Pager({ what, offset, size, total, onMove }: Props) {
  if (total <= size) return <p class="muted small num">{plural(total, what)}</p>;
  return (
    <nav class="row pager" aria-label={`Pages of ${what}s`}>
      <button type="button" class="button small" disabled={offset === 0} onClick={() => onMove(Math.max(0, offset - size))}>
        Back
      </button>
      <span class="small num" role="status">
        {count(offset + 1)}–{count(Math.min(offset + size, total))} of {plural(total, what)}
      </span>
      <button type="button" class="button small" disabled={offset + size >= total} onClick={() => onMove(offset + size)}>
        Next
      </button>
    </nav>
  );
}
