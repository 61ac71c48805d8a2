import { useState } from "preact/hooks";
import type { Judgment, JudgmentForm } from "../api/types";

interface Props {
  judgment: Judgment;
  busy: boolean;
  onSave: (form: JudgmentForm) => void;
  onCancel: () => void;
}

export function JudgmentEditor({ judgment, busy, onSave, onCancel }: Props) {
  const [relevance, setRelevance] = useState(judgment.relevance);
  const [reason, setReason] = useState("");
  return (
    <form
      class="row end"
      onSubmit={(event) => {
        event.preventDefault();
        onSave({ action: "edit", relevance, reason: reason.trim() });
      }}
    >
      <label class="field">
        <span>Relevance ({relevance.toFixed(2)})</span>
        <input
          type="range"
          min={0}
          max={1}
          step={0.05}
          value={relevance}
          onInput={(event) => setRelevance(Number(event.currentTarget.value))}
        />
      </label>
      <label class="field grow">
        <span>Why (optional)</span>
        <input class="input" maxLength={4000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button small" disabled={busy}>
        Save
      </button>
      <button type="button" class="button quiet small" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}
