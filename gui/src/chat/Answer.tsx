import { Markdown } from "../ui/Markdown";
import { Notice } from "../ui/Notice";
import { Icon } from "../ui/Icon";
import { asking, retry } from "./ask";
import { Citation } from "./Citation";
import { focusSource } from "./focus";
import { noticed } from "./rating";
import type { Turn } from "./turn";

/** The answer's text as it comes in, and what to do when it does not. */
export function Answer({ turn }: { turn: Turn }) {
  const phase = turn.phase.value;
  const cite = (n: number, key: string) => {
    const source = turn.sources.value.find((each) => each.n === n);
    const follow = () => {
      focusSource(turn, n);
      if (source !== undefined) noticed(turn, "click", source.chunk_id);
    };
    return <Citation key={key} n={n} source={source} turn={turn} onFollow={follow} />;
  };
  return (
    <div class="answer" aria-busy={phase === "searching" || phase === "writing"}>
      {phase === "searching" && (
        <p class="row muted" role="status">
          <span class="spinner" /> Searching the code…
        </p>
      )}
      {turn.text.value !== "" && <Markdown text={turn.text.value} cite={cite} />}
      {phase === "writing" && <span class="caret" aria-hidden="true" />}
      {phase === "stopped" && <Again turn={turn} text="You stopped this answer. What came so far is kept." />}
      {phase === "failed" && <Again turn={turn} text={turn.error.value} bad />}
    </div>
  );
}

function Again({ turn, text, bad = false }: { turn: Turn; text: string; bad?: boolean }) {
  return (
    <Notice tone={bad ? "bad" : "plain"} urgent={bad}>
      <p>{text}</p>
      <p class="again">
        <button type="button" class="button small" disabled={asking.value !== null} onClick={() => retry(turn)}>
          <Icon name="retry" small /> Ask again
        </button>
      </p>
    </Notice>
  );
}
