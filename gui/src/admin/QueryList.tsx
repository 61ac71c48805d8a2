import { useState } from "preact/hooks";
import type { Comparison, QueryRow, RankedText } from "../api/types";
import { lines, metric, signed, words } from "../lib/format";
import { Pager } from "../ui/Pager";

const size = 15;

/** Questions that the two versions rank differently; each opens both rankings side by side. */
export function QueryList({ found }: { found: Comparison }) {
  const [offset, setOffset] = useState(0);
  if (found.queries.length === 0) return null;
  return (
    <>
      <ul class="query-list">
        {found.queries.slice(offset, offset + size).map((row) => (
          <Query key={`${row.evidence} ${row.group_id}`} row={row} a={found.a.id} b={found.b.id} />
        ))}
      </ul>
      <Pager what="question" offset={offset} size={size} total={found.queries.length} onMove={setOffset} />
    </>
  );
}

function Query({ row, a, b }: { row: QueryRow; a: number; b: number }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <button type="button" class="query-row" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class={`badge ${row.difference > 0 ? "good" : "bad"}`}>{row.difference > 0 ? "won" : "lost"}</span>
        <span class="grow wrap-anywhere">{row.query}</span>
        <span class="muted small">{words(row.evidence)}</span>
        <span class="num nowrap">
          {metric(row.a)} → {metric(row.b)} ({signed(row.difference)})
        </span>
      </button>
      {open && (
        <div class="rankings">
          <Right row={row} a={a} b={b} />
          <Ranking title={`Version ${a}`} texts={row.ranking_a} other={row.ranking_b} />
          <Ranking title={`Version ${b}`} texts={row.ranking_b} other={row.ranking_a} />
        </div>
      )}
    </li>
  );
}

/** Where the right chunks stood: what the difference comes from. */
function Right({ row, a, b }: { row: QueryRow; a: number; b: number }) {
  if (row.right.length === 0) return <p class="whole muted">Which chunk is right is no longer known.</p>;
  return (
    <ul class="whole plain-list" aria-label="The right chunks">
      {row.right.map((text) => (
        <li key={text.content_hash}>
          <span class="badge good">right</span> <span class="mono wrap-anywhere">{place(text)}</span>
          <div>
            Version {a}: {rank(text.rank_a)}, version {b}: {rank(text.rank_b)}.
          </div>
        </li>
      ))}
    </ul>
  );
}

function rank(value: number | null): string {
  return value === null ? "not among the first ten" : `rank ${value}`;
}

/** The best ten, each with the rank that the other version gave it. */
function Ranking({ title, texts, other }: { title: string; texts: RankedText[]; other: RankedText[] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ol>
        {texts.slice(0, 10).map((text, index) => (
          <li key={index} class={isRight(text) ? "is-right" : undefined}>
            <span class="mono wrap-anywhere">{place(text)}</span>
            {isRight(text) && <span class="badge good">right</span>}
            {text.relevance !== null && !isRight(text) && <span class="badge bad">judged wrong</span>}
            <div class="muted">
              {text.symbol !== null && text.symbol !== "" && <span class="moved">{text.symbol}</span>}
              <Move here={index} there={other.findIndex((each) => each.content_hash === text.content_hash)} />
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

function isRight(text: RankedText): boolean {
  return text.relevance !== null && text.relevance > 0.5;
}

function Move({ here, there }: { here: number; there: number }) {
  if (there === here) return null;
  return <span class="moved">{there < 0 ? "not in the other ten" : `rank ${there + 1} in the other`}</span>;
}

function place(text: RankedText): string {
  if (text.path === null) return `text ${text.content_hash.slice(0, 10)} (no longer in the code)`;
  if (text.start_line === null || text.end_line === null) return text.path;
  return `${text.path}:${lines(text.start_line, text.end_line)}`;
}
