import type { Version } from "../api/types";
import { metric, plural, words } from "../lib/format";
import { evidence, type Body } from "./metrics";
import { Term } from "./Term";

const columns = ["ndcg@10", "mrr@10", "recall@10", "recall@50"];
const arms: Record<string, string> = { no_rerank: "no reranking", champion: "champion then", challenger: "this version" };

/** What the gate saw: every arm's means on each body of evidence. */
export function EvidenceTables({ version }: { version: Version }) {
  return (
    <>
      {evidence(version).map((body) => (
        <One key={body.name} body={body} />
      ))}
    </>
  );
}

function One({ body }: { body: Body }) {
  const shown = columns.filter((name) => body.arms.some((arm) => arm.values[name] !== undefined));
  if (shown.length === 0) return null;
  const queries = body.arms[0]?.values.queries;
  return (
    <div class="table-wrap">
      <table>
        <caption>
          {body.name === "held_out" || body.name === "second_opinions" ? <Term of={body.name}>{words(body.name)}</Term> : words(body.name)}{" "}
          {queries !== undefined && <span class="muted num">({plural(queries, "question")})</span>}
        </caption>
        <thead>
          <tr>
            <th scope="col">Ranked by</th>
            {shown.map((name) => (
              <th key={name} scope="col" class="right mono">
                {name === "ndcg@10" ? <Term of="ndcg">{name}</Term> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.arms.map((arm) => (
            <tr key={arm.name} class={arm.name === "challenger" ? "current" : undefined}>
              <td class="nowrap">{arms[arm.name] ?? words(arm.name)}</td>
              {shown.map((name) => (
                <td key={name} class="num right">
                  {metric(arm.values[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
