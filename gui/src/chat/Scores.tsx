import type { Source } from "../api/types";
import { score } from "../lib/format";

/** Why a source stands where it stands: both ranks and the scores they came from. */
export function Scores({ source }: { source: Source }) {
  const moved = source.first_stage_rank - source.rank;
  const how =
    moved === 0
      ? "The reranker left it where the first stage put it."
      : `The reranker moved it ${moved > 0 ? "up" : "down"} by ${Math.abs(moved)}.`;
  return (
    <div class="scores">
      <p>
        Rank <strong class="num">{source.first_stage_rank}</strong> in the first stage →{" "}
        <strong class="num">{source.rank}</strong> in the end.{" "}
        {source.rerank_score === null ? "No reranker was used." : how}
      </p>
      <dl>
        <Item name="Dense (meaning)" value={score(source.dense_score)} />
        <Item name="Lexical (words)" value={score(source.lexical_score)} />
        <Item name="First stage" value={score(source.fused_score)} />
        <Item name="Reranker" value={score(source.rerank_score)} />
        <Item name="Final" value={score(source.final_score)} />
      </dl>
    </div>
  );
}

function Item({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="num">{value}</dd>
    </div>
  );
}
