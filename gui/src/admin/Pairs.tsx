import { Fragment } from "preact";
import { useState } from "preact/hooks";
import * as api from "../api/client";
import type { Pair, PairPage } from "../api/types";
import { count, people, plural, when, words } from "../lib/format";
import { CodeBlock } from "../ui/CodeBlock";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { Pager } from "../ui/Pager";
import { dataSets } from "./data";
import { PairFilters } from "./PairFilters";
import { languageOf, place } from "./place";
import { useLoad } from "./useLoad";
import { usePage } from "./usePage";

const size = 50;

/** What a version was trained on, row by row. */
export function Pairs({ dataSet }: { dataSet: string }) {
  useLoad(dataSets);
  const [start] = useState<api.PairFilter>({ data_set: dataSet, search: "", repo: "", source: "", relevant: null });
  const { filter, choose, offset, setOffset, page, error, filtered } = usePage(api.pairs, start, size);
  return (
    <>
      <div class="row">
        <p class="muted small grow">
          What a model is trained on: each row is a question, a chunk, and whether it is right. The nightly job makes them from the
          judgments, adds hard negatives and, beside them, questions from docstrings of the code; a data set never changes.
        </p>
        <a class="button" href={api.pairsExport(filter)} download>
          Export JSONL
        </a>
      </div>
      <PairFilters filter={filter} onChange={choose} />
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      {page === null ? (
        error === "" && <Loading what="pairs" />
      ) : page.data_set === null ? (
        <Notice>No data set yet. The nightly job makes one from the judgments; “Train now” under Jobs does so at once.</Notice>
      ) : (
        <>
          <About page={page} />
          {page.total === 0 ? <Notice>No pair {filtered ? "fits these filters" : "is in this data set"}.</Notice> : <Table pairs={page.pairs} />}
          <Pager what="pair" offset={offset} size={size} total={page.total} onMove={setOffset} />
        </>
      )}
    </>
  );
}

function About({ page }: { page: PairPage }) {
  const { data_set: set, size: all, positives } = page;
  if (set === null) return null;
  return (
    <p>
      Data set <span class="mono">{set.hash.slice(0, 12)}</span> of {when(set.created_at)}: {plural(all, "pair")}, {count(positives)} right
      and {count(all - positives)} wrong.{" "}
      {set.versions.length === 0 ? (
        <span class="muted">No version learned from it.</span>
      ) : (
        <>
          Learned from by{" "}
          {set.versions.map((id, index) => (
            <Fragment key={id}>
              {index > 0 && ", "}
              <a href={`#versions/${id}`}>version {id}</a>
            </Fragment>
          ))}
          .
        </>
      )}
    </p>
  );
}

function Table({ pairs }: { pairs: Pair[] }) {
  return (
    <div class="table-wrap">
      <table class="cards pairs" aria-label="Pairs">
        <thead>
          <tr>
            <th scope="col">Code</th>
            <th scope="col">Label</th>
            <th scope="col" class="right">
              Weight
            </th>
            <th scope="col">From</th>
            <th scope="col">Why it exists</th>
          </tr>
        </thead>
        {groups(pairs).map((group) => (
          <tbody key={group[0]?.query}>
            <tr class="group">
              <th scope="rowgroup" colSpan={5}>
                {group[0]?.query}
              </th>
            </tr>
            {group.map((pair) => (
              <Row key={pair.content_hash} pair={pair} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Row({ pair }: { pair: Pair }) {
  const [open, setOpen] = useState(false);
  const right = pair.label > 0.5;
  return (
    <>
      <tr>
        <td>
          <button type="button" class="link mono wrap-anywhere" aria-expanded={open} onClick={() => setOpen(!open)}>
            {place(pair)}
          </button>
          {pair.symbol !== null && pair.symbol !== "" && <div class="muted small wrap-anywhere">{pair.symbol}</div>}
        </td>
        <td data-name="Label">
          <span class={`badge ${right ? "good" : "bad"}`}>{right ? "right" : "wrong"}</span>
        </td>
        <td class="num right" data-name="Weight">
          {pair.weight.toFixed(2)}
        </td>
        <td class="nowrap" data-name="From">
          {words(pair.source)}
        </td>
        <td class="small" data-name="Why">
          {people(pair.reason)}
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={5}>
            <div class="framed">
              <CodeBlock
                text={pair.text}
                language={languageOf(pair.path)}
                firstLine={pair.start_line ?? 1}
                limit={24}
                label={`Code of ${place(pair)}`}
              />
            </div>
          </td>
        </tr>
      )}
    </>
  );
}

/** Consecutive pairs of one question. */
function groups(pairs: Pair[]): Pair[][] {
  const made: Pair[][] = [];
  for (const pair of pairs) {
    const last = made.at(-1);
    if (last !== undefined && last[0]?.query === pair.query) last.push(pair);
    else made.push([pair]);
  }
  return made;
}
