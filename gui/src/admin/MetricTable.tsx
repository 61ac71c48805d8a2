import type { Comparison } from "../api/types";
import { metric, pValue, plural, signed, words } from "../lib/format";
import { Notice } from "../ui/Notice";
import { Term } from "./Term";

/** One row a metric: both values, the difference with its interval, and p. */
export function MetricTable({ comparison }: { comparison: Comparison }) {
  const { a, b, metrics, note } = comparison;
  if (metrics.length === 0) return <Notice>{note ?? "These two versions share no measured question."}</Notice>;
  return (
    <>
      {note !== null && <Notice>{note}</Notice>}
      <div class="table-wrap">
        <table>
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col">Measured on</th>
              <th scope="col" class="right">Version {a.id}</th>
              <th scope="col" class="right">Version {b.id}</th>
              <th scope="col" class="right">Difference</th>
              <th scope="col" class="right">95 % interval</th>
              <th scope="col" class="right">p</th>
            </tr>
          </thead>
          <tbody>
            {metrics.map((row) => (
              <tr key={`${row.metric} ${row.evidence}`}>
                <td class="mono nowrap">{row.metric === "ndcg@10" ? <Term of="ndcg">{row.metric}</Term> : row.metric}</td>
                <td class="nowrap">
                  {words(row.evidence)} <span class="muted num">({plural(row.queries, "question")})</span>
                </td>
                <td class="num right">{metric(row.a)}</td>
                <td class="num right">{metric(row.b)}</td>
                <td class={`num right ${row.low > 0 ? "good" : row.high < 0 ? "bad" : ""}`}>{signed(row.difference)}</td>
                <td class="num right nowrap">
                  {signed(row.low)} … {signed(row.high)}
                </td>
                <td class="num right nowrap">{pValue(row.p)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
