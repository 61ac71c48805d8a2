import { useEffect, useId, useRef, useState } from "preact/hooks";
import { keep, kept } from "../lib/storage";
import { note, noteDraft, reason, reasons, stars } from "./rating";
import { Stars } from "./Stars";
import type { Turn } from "./turn";

/** What may follow a thumb: stars, reasons for a bad answer, a note. Everything saves itself. */
export function RatingCard({ turn }: { turn: Turn }) {
  const rating = turn.rating.value;
  const bad = rating.thumb === "down" || (rating.stars !== null && rating.stars <= 2);
  return (
    <div class="rating-card">
      <Stars value={rating.stars} onPick={(value) => stars(turn, value)} />
      {(bad || rating.reasons.length > 0) && (
        <div class="row" role="group" aria-label="Reasons">
          {reasons.map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={rating.reasons.includes(name)}
              onClick={() => reason(turn, name)}
            >
              {name}
            </button>
          ))}
        </div>
      )}
      <NoteField key={turn.key} turn={turn} label={bad ? "What was missing?" : "Anything to add?"} />
    </div>
  );
}

/** Saved a moment after typing stops; kept as a draft until then. */
function NoteField({ turn, label }: { turn: Turn; label: string }) {
  const id = useId();
  const draft = noteDraft(turn);
  const [text, setText] = useState(kept(draft, turn.rating.value.note ?? ""));
  const timer = useRef(0);
  const store = (value: string) => {
    clearTimeout(timer.current);
    note(turn, value);
    keep(draft, null);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class="input"
        rows={2}
        maxLength={4000}
        value={text}
        placeholder="Optional. Saved as you type."
        onInput={(event) => {
          const value = event.currentTarget.value;
          setText(value);
          keep(draft, value);
          clearTimeout(timer.current);
          timer.current = window.setTimeout(() => store(value), 900);
        }}
        onBlur={(event) => store(event.currentTarget.value)}
      />
    </div>
  );
}
