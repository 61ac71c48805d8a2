import { count } from "../lib/format";

interface Props {
  what: string;
  offset: number;
  size: number;
  total: number;
  onMove: (offset: number) => void;
}

export function Pager({ what, offset, size, total, onMove }: Props) {
  if (total <= size) return <p class="muted small num">{`${count(total)} ${what}`}</p>;
  return (
    <nav class="row pager" aria-label={`Pages of ${what}`}>
      <button type="button" class="button small" disabled={offset === 0} onClick={() => onMove(Math.max(0, offset - size))}>
        Back
      </button>
      <span class="small num" role="status">
        {count(offset + 1)}–{count(Math.min(offset + size, total))} of {count(total)} {what}
      </span>
      <button type="button" class="button small" disabled={offset + size >= total} onClick={() => onMove(offset + size)}>
        Next
      </button>
    </nav>
  );
}
