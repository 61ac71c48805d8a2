import type { Source } from "../api/types";
import { score } from "../lib/format";

/** Why a source stands where it stands: its ranks and the scores they came from, as far as they apply. */
export function Scores({ source }: { source: Source }) {
  const trained = source.rerank_score !== null;
  return (
    <div class="scores">
      {trained ? <Moved source={source} /> : <p>Rank {source.rank} by search alone: no trained model was at work.</p>}
      <dl>
        <Item name="By meaning" value={source.dense_score} />
        <Item name="By words" value={source.lexical_score} />
        <Item name={trained ? "Search alone" : "Together"} value={source.fused_score} />
        {trained && <Item name="Trained model" value={source.rerank_score} />}
        {trained && <Item name="Together" value={source.final_score} />}
      </dl>
    </div>
  );
}

function Moved({ source }: { source: Source }) {
  const moved = source.first_stage_rank - source.rank;
  return (
    <p>
      Rank {source.first_stage_rank} by search alone;{" "}
      {moved === 0 ? "the trained model left it there." : `the trained model moved it ${moved > 0 ? "up" : "down"} to ${source.rank}.`}
    </p>
  );
}

function Item({ name, value }: { name: string; value: number | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="num">{score(value)}</dd>
    </div>
  );
}
