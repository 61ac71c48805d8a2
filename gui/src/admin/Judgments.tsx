import * as api from "../api/client";
import type { Judgment } from "../api/types";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { Pager } from "../ui/Pager";
import { actors } from "./data";
import { Filters } from "./Filters";
import { JudgmentRow } from "./JudgmentRow";
import { useLoad } from "./useLoad";
import { usePage } from "./usePage";

const size = 25;
const everything: api.JudgmentFilter = { search: "", repo: "", source: "", actor: "", conflict: null, retired: null };

/** What the ratings were taken to mean. */
export function Judgments() {
  useLoad(actors);
  const { filter, choose, offset, setOffset, page, setPage, error, filtered } = usePage(api.judgments, everything, size);
  const replace = (changed: Judgment) =>
    setPage((before) =>
      before === null ? null : { ...before, judgments: before.judgments.map((each) => (each.id === changed.id ? changed : each)) },
    );
  return (
    <>
      <div class="row">
        <p class="muted small grow">
          What the ratings were taken to mean. Open a judgment to see why it exists; veto it, edit it, or undo what you did.
        </p>
        <a class="button" href={api.judgmentsExport(filter)} download>
          Export JSONL
        </a>
      </div>
      <Filters filter={filter} onChange={choose} />
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      {page === null ? (
        error === "" && <Loading what="judgments" />
      ) : page.total === 0 ? (
        <Empty filtered={filtered} />
      ) : (
        <>
          <ul class="judgments" aria-label="Judgments">
            {page.judgments.map((judgment) => (
              <JudgmentRow key={judgment.id} judgment={judgment} onChange={replace} />
            ))}
          </ul>
          <Pager what="judgment" offset={offset} size={size} total={page.total} onMove={setOffset} />
        </>
      )}
    </>
  );
}

function Empty({ filtered }: { filtered: boolean }) {
  if (filtered) return <Notice>No judgment fits these filters.</Notice>;
  return <Notice>No judgments yet. They are made from ratings within seconds of them, while the trainer runs.</Notice>;
}
