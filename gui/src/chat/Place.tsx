import { useEffect } from "preact/hooks";
import * as api from "../api/client";
import { lines } from "../lib/format";
import { Icon } from "../ui/Icon";
import { places } from "./correcting";
import { correction } from "./rating";
import { receipts } from "./saves";
import type { Turn } from "./turn";

/** The right place as somebody named it, with a way back. */
export function Place({ turn, chunk }: { turn: Turn; chunk: number }) {
  const answer = turn.answerId.value;
  const found =
    places.value[chunk] ??
    turn.sources.value.find((source) => source.chunk_id === chunk) ??
    receipts.value[answer ?? ""]?.ranks.find((rank) => rank.chunk_id === chunk);
  useEffect(() => {
    if (found !== undefined || answer === null) return;
    api.receipt(answer).then(
      (receipt) => (receipts.value = { ...receipts.value, [answer]: receipt }),
      (error: unknown) => console.warn("No receipt:", error),
    );
  }, [answer, chunk, found === undefined]);
  const place = found === undefined ? `chunk ${chunk}` : `${found.path}:${lines(found.start_line, found.end_line)}`;
  return (
    <p class="place">
      <Icon name="target" small />
      <span class="wrap-anywhere">
        The right place was <span class="mono">{place}</span>
      </span>
      <button type="button" class="button quiet small" onClick={() => correction(turn, null)}>
        Take back
      </button>
    </p>
  );
}
