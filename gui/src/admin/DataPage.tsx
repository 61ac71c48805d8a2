import { useEffect, useState } from "preact/hooks";
import * as api from "../api/client";
import { message } from "../api/http";
import type { Judgment, JudgmentPage } from "../api/types";
import { count, plural } from "../lib/format";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { Pager } from "../ui/Pager";
import { overview, repos } from "./data";
import { exportJudgments } from "./exportJudgments";
import { Filters } from "./Filters";
import { JudgmentRow } from "./JudgmentRow";
import { noticeRefusal } from "./session";
import { useAct } from "./useAct";
import { useLoad } from "./useLoad";

const size = 25;
const everything: api.JudgmentFilter = { repo: "", source: "", actor: "", conflict: null, retired: null };

export function DataPage() {
  useLoad(repos);
  useLoad(overview);
  const [filter, setFilter] = useState(everything);
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<JudgmentPage | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      api.judgments(filter, size, offset).then(
        (value) => {
          if (!current) return;
          setPage(value);
          setError("");
        },
        (problem: unknown) => {
          noticeRefusal(problem);
          if (current) setError(message(problem));
        },
      );
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [filter, offset]);
  const replace = (changed: Judgment) =>
    setPage((before) =>
      before === null ? null : { ...before, judgments: before.judgments.map((each) => (each.id === changed.id ? changed : each)) },
    );
  return (
    <>
      <div class="page-head">
        <h1>Data</h1>
        <Export filter={filter} />
      </div>
      <p class="muted">What the ratings were taken to mean. Each judgment says why it exists; veto it, edit it, or undo what you did.</p>
      <Standing />
      <Filters
        filter={filter}
        onChange={(next) => {
          setFilter(next);
          setOffset(0);
        }}
      />
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      {page === null ? (
        error === "" && <Loading what="judgments" />
      ) : page.total === 0 ? (
        <Empty filtered={filter !== everything} />
      ) : (
        <>
          <ul class="judgments" aria-label="Judgments">
            {page.judgments.map((judgment) => (
              <JudgmentRow key={judgment.id} judgment={judgment} onChange={replace} />
            ))}
          </ul>
          <Pager what="judgments" offset={offset} size={size} total={page.total} onMove={setOffset} />
        </>
      )}
    </>
  );
}

/** How much is judged, and how much more the gate would need (its own words, on the overview). */
function Standing() {
  const known = overview.data.value;
  if (known === null) return null;
  const { counts, attention } = known;
  const needed = attention.find((text) => /needed|more (judged )?questions/i.test(text));
  return (
    <p>
      {plural(counts.judged_groups, "judged query", "judged queries")}, {count(counts.held_out_groups)} of them held out for the
      gate. {plural(counts.conflicts, "contradiction")}, {count(counts.retired)} retired. {needed}
    </p>
  );
}

function Empty({ filtered }: { filtered: boolean }) {
  if (filtered) return <Notice>No judgment fits these filters.</Notice>;
  return <Notice>No judgments yet. The nightly job makes them from ratings; “Train now” under Jobs does so at once.</Notice>;
}

function Export({ filter }: { filter: api.JudgmentFilter }) {
  const { busy, error, act } = useAct();
  return (
    <div class="row">
      {error !== "" && (
        <span class="bad small" role="alert">
          {error}
        </span>
      )}
      <button type="button" class="button" disabled={busy} onClick={() => act(() => exportJudgments(filter))}>
        {busy ? "Exporting…" : "Export JSONL"}
      </button>
    </div>
  );
}
