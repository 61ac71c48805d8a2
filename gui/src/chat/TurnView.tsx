import { useEffect, useRef } from "preact/hooks";
import { Answer } from "./Answer";
import { RatingBar } from "./RatingBar";
import { SearchedAs } from "./SearchedAs";
import { Sources } from "./Sources";
import type { Turn } from "./turn";

/** A question, its answer and its sources. The last turn fills the window, so that streaming moves nothing. */
export function TurnView({ turn, last }: { turn: Turn; last: boolean }) {
  const ref = useRef<HTMLElement>(null);
  const fresh = turn.phase.value === "searching";
  useEffect(() => {
    if (fresh) ref.current?.scrollIntoView({ block: "start" });
  }, []);
  return (
    <article ref={ref} class={last ? "turn last" : "turn"} aria-label={`Question: ${turn.question}`} data-turn={turn.key}>
      <h2 class="question">{turn.question}</h2>
      <SearchedAs turn={turn} />
      <div class="turn-body">
        <div class="turn-answer">
          <Answer turn={turn} />
          <RatingBar turn={turn} />
        </div>
        <Sources turn={turn} />
      </div>
    </article>
  );
}
