import { useState } from "preact/hooks";
import * as api from "../api/client";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { afterDeployment, recent, versionName } from "./data";
import { tell } from "./flash";
import { useAct } from "./useAct";

interface Props {
  from: number;
  suggested: number;
  choices: number[];
  onClose: () => void;
}

export function RollBackDialog({ from, suggested, choices, onClose }: Props) {
  const [to, setTo] = useState(suggested);
  const [reason, setReason] = useState("");
  const { busy, error, act } = useAct();
  const versions = recent.data.value?.versions;
  const submit = () =>
    act(async () => {
      const entry = await api.rollBack({ reason: reason.trim(), to });
      await afterDeployment();
      tell(`Rolled back: version ${entry.to_version} serves now. Automatic promotion is paused.`);
      onClose();
    });
  return (
    <Dialog title={`Roll back from version ${from}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <label class="field">
          <span>Back to</span>
          <select class="input" value={to} onChange={(event) => setTo(Number(event.currentTarget.value))}>
            {choices.map((id) => (
              <option key={id} value={id}>
                {versionName(id, versions)}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Reason</span>
          <textarea
            class="input"
            required
            rows={2}
            maxLength={4000}
            value={reason}
            placeholder="What went wrong? It stays in the ledger."
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <p class="muted small">
          Takes effect at once; requests under way finish on version {from}. Automatic promotion pauses until you resume it under
          Jobs, and the next challenger must also beat version {from}.
        </p>
        {error !== "" && (
          <Notice tone="bad" urgent>
            {error}
          </Notice>
        )}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button danger" disabled={busy || reason.trim() === ""}>
            {busy ? "Rolling back…" : `Roll back to version ${to}`}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
