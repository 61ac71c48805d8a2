import { useState } from "preact/hooks";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { correcting } from "./correcting";
import { mayNotRate, mayRate } from "./me";
import { Place } from "./Place";
import { thumb } from "./rating";
import { RatingCard } from "./RatingCard";
import { ReceiptPanel } from "./ReceiptPanel";
import { SaveLine } from "./SaveLine";
import type { Turn } from "./turn";

/** Under every stored answer: rate it with one click, say more if you like, see what became of it. */
export function RatingBar({ turn }: { turn: Turn }) {
  const [receipt, setReceipt] = useState(false);
  const answer = turn.answerId.value;
  if (answer === null) return turn.phase.value === "done" ? <p class="muted small">Not logged, so it can't be rated.</p> : null;
  const rating = turn.rating.value;
  const talked = rating.thumb !== null || rating.stars !== null || rating.reasons.length > 0 || rating.note !== null;
  const rated = talked || rating.correction !== null || Object.keys(rating.chunks).length > 0;
  return (
    <section class="rating" aria-label="Rate this answer">
      <div class="rating-bar">
        <IconButton
          icon="up"
          class="up"
          label="Good answer"
          filled={rating.thumb === "up"}
          aria-pressed={rating.thumb === "up"}
          disabled={!mayRate.value}
          onClick={() => thumb(turn, "up")}
        />
        <IconButton
          icon="down"
          class="down"
          label="Bad answer"
          filled={rating.thumb === "down"}
          aria-pressed={rating.thumb === "down"}
          disabled={!mayRate.value}
          onClick={() => thumb(turn, "down")}
        />
        <CopyButton text={turn.text.value} label="Copy answer" />
        <button
          type="button"
          class="button quiet small"
          disabled={!mayRate.value}
          onClick={() => (correcting.value = turn)}
        >
          <Icon name="target" small /> The right place was…
        </button>
        {rated && (
          <button type="button" class="button quiet small" aria-expanded={receipt} onClick={() => setReceipt(!receipt)}>
            Receipt
          </button>
        )}
      </div>
      {!mayRate.value && <p class="muted small">{mayNotRate}</p>}
      {rating.correction !== null && <Place turn={turn} chunk={rating.correction} />}
      <SaveLine answer={answer} written={written(turn)} />
      {talked && mayRate.value && <RatingCard turn={turn} />}
      {receipt && rated && <ReceiptPanel answer={answer} turn={turn} />}
      <p class="provenance">{provenance(turn)}</p>
    </section>
  );
}

function provenance(turn: Turn): string {
  const version = turn.version.value;
  const parts = [version === 0 ? "Ranked by search alone, without a trained model (version 0)" : `Ranked by version ${version}`];
  if (turn.generator.value !== "") parts.push(written(turn) ? `written by ${turn.generator.value}` : "quoted from the code");
  return parts.join(" · ");
}

/** By a language model, not quoted. */
function written(turn: Turn): boolean {
  return turn.generator.value !== "" && turn.generator.value !== "extractive";
}
