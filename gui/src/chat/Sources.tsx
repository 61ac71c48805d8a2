import { plural } from "../lib/format";
import { SourceCard } from "./SourceCard";
import type { Turn } from "./turn";

/** Everything that was shown for an answer, in rank order. */
export function Sources({ turn }: { turn: Turn }) {
  const sources = turn.sources.value;
  if (sources.length === 0) return null;
  const cited = new Set(turn.citations.value);
  return (
    <section class="sources" aria-label="Sources">
      <h3>
        {plural(sources.length, "source")} <span class="muted">· {cited.size} cited</span>
      </h3>
      <ol>
        {sources.map((source) => (
          <SourceCard key={source.n} turn={turn} source={source} cited={cited.has(source.n)} />
        ))}
      </ol>
    </section>
  );
}
