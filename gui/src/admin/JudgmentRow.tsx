import { useState } from "preact/hooks";
import * as api from "../api/client";
import type { Judgment, JudgmentForm } from "../api/types";
import { people, words } from "../lib/format";
import { CodeBlock } from "../ui/CodeBlock";
import { JudgmentEditor } from "./JudgmentEditor";
import { languageOf, place } from "./place";
import { useAct } from "./useAct";

const acts = { veto: "Vetoed", edit: "Edited", restore: "Restored" } as const;

interface Props {
  judgment: Judgment;
  onChange: (judgment: Judgment) => void;
}

export function JudgmentRow({ judgment, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const [editing, setEditing] = useState(false);
  const { busy, error, act } = useAct();
  const change = (form: JudgmentForm) =>
    act(async () => {
      onChange(await api.changeJudgment(judgment.id, form));
      setEditing(false);
    });
  const overridden = judgment.override !== null && judgment.override.action !== "restore";
  return (
    <li class={judgment.vetoed ? "judgment vetoed" : "judgment"}>
      <div class="judgment-head">
        <button type="button" class="judgment-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span class="wrap-anywhere">{judgment.query}</span>
          <span class="mono muted wrap-anywhere">{place(judgment)}</span>
        </button>
        <span class="badges">
          <span class={`badge ${judgment.relevance >= 0.5 ? "good" : "bad"}`}>
            {judgment.relevance >= 0.5 ? "relevant" : "not relevant"} {judgment.relevance.toFixed(2)}
          </span>
          <span class="badge">weight {judgment.weight.toFixed(2)}</span>
          {judgment.strong && <span class="badge info">strong</span>}
          {judgment.conflict && <span class="badge warn">contradicted</span>}
          {judgment.retired && <span class="badge">retired</span>}
          {judgment.vetoed && <span class="badge bad">vetoed</span>}
          {judgment.override?.action === "edit" && <span class="badge warn">edited</span>}
        </span>
        <span class="row actions">
          {overridden ? (
            <button type="button" class="button small" disabled={busy} onClick={() => change({ action: "restore", reason: "" })}>
              Undo
            </button>
          ) : (
            <>
              <button type="button" class="button quiet small" aria-expanded={editing} onClick={() => setEditing(!editing)}>
                Edit
              </button>
              <button type="button" class="button danger small" disabled={busy} onClick={() => change({ action: "veto", reason: "" })}>
                Veto
              </button>
            </>
          )}
        </span>
      </div>
      {error !== "" && (
        <p class="bad small" role="alert">
          {error}
        </p>
      )}
      {editing && <JudgmentEditor judgment={judgment} busy={busy} onSave={change} onCancel={() => setEditing(false)} />}
      {open && <Why judgment={judgment} />}
    </li>
  );
}

function Why({ judgment }: { judgment: Judgment }) {
  return (
    <div class="judgment-why">
      <ul class="plain-list small" aria-label="Why it exists">
        {judgment.reasons.map((reason, index) => (
          <li key={index}>{people(reason)}</li>
        ))}
        <li class="muted">
          From {judgment.sources.map(words).join(", ")}; by {people(judgment.actors.join(", ")) || "nobody in person"}
        </li>
        {judgment.override !== null && (
          <li>
            {acts[judgment.override.action]} by {people(judgment.override.actor)}
            {judgment.override.reason !== "" && `: ${judgment.override.reason}`}
          </li>
        )}
      </ul>
      <div class="framed">
        <CodeBlock
          text={judgment.text}
          language={languageOf(judgment.path)}
          firstLine={judgment.start_line ?? 1}
          limit={24}
          label={`Code of ${place(judgment)}`}
        />
      </div>
    </div>
  );
}
