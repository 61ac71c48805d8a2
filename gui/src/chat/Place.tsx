import { useEffect } from "preact/hooks";
import * as api from "../api/client";
import { Icon } from "../ui/Icon";
import { correction } from "./rating";
import { receipts } from "./saves";
import type { Turn } from "./turn";
import { spotOf, Where } from "./Where";

/** The right place as somebody named it, with a way back. */
export function Place({ turn, chunk }: { turn: Turn; chunk: number }) {
  const answer = turn.answerId.value;
  const found = spotOf(chunk, turn, receipts.value[answer ?? ""]?.ranks);
  useEffect(() => {
    if (found !== undefined || answer === null) return;
    api.receipt(answer).then(
      (receipt) => (receipts.value = { ...receipts.value, [answer]: receipt }),
      (error: unknown) => console.warn("No receipt:", error),
    );
  }, [answer, chunk, found === undefined]);
  return (
    <p class="place">
      <Icon name="target" small />
      <span class="wrap-anywhere">
        The right place was {found === undefined ? "one that is not shown here" : <Where spot={found} turn={turn} />}
      </span>
      <button type="button" class="button quiet small" onClick={() => correction(turn, null)}>
        Take back
      </button>
    </p>
  );
}
