import { useEffect, useState } from "preact/hooks";
import * as api from "../api/client";
import { message } from "../api/http";
import type { Comparison, Version } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { afterDeployment } from "./data";
import { GateSentence } from "./GateSentence";
import { MetricTable } from "./MetricTable";
import { tell } from "./flash";
import { useAct } from "./useAct";

interface Props {
  version: Version;
  champion: number;
  onClose: () => void;
}

/** Two steps: what would change and why, then the act itself. */
export function PromoteDialog({ version, champion, onClose }: Props) {
  const judged = judgedAgainst(version);
  const stale = version.decision === "promote" && judged !== champion;
  const forced = version.decision !== "promote" || stale;
  const [step, setStep] = useState<1 | 2>(1);
  const [reason, setReason] = useState(forced ? "" : "The gate says so.");
  const [sure, setSure] = useState(false);
  const { busy, error, act } = useAct();
  const promote = () =>
    act(async () => {
      await api.promote(version.id, { reason: reason.trim(), force: forced });
      await afterDeployment();
      tell(`Version ${version.id} serves now.`);
      onClose();
    });
  return (
    <Dialog title={`Promote version ${version.id}, step ${step} of 2`} wide onClose={onClose}>
      {step === 1 ? (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setStep(2);
          }}
        >
          <GateSentence version={version} />
          <Changes champion={champion} version={version.id} />
          <label class="field">
            <span>Reason</span>
            <textarea
              class="input"
              required
              rows={2}
              maxLength={4000}
              value={reason}
              placeholder="Why this version? It stays in the ledger."
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          {forced && (
            <label class="check">
              <input type="checkbox" required checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
              <span>
                {stale
                  ? `The gate judged it against ${judged === null ? "another version" : `version ${judged}`}, not against today's champion`
                  : "The gate is not convinced"}
                ; promote all the same. The ledger will say “forced”.
              </span>
            </label>
          )}
          <div class="dialog-actions">
            <button type="button" class="button" onClick={onClose}>
              Cancel
            </button>
            <button type="submit" class="button primary" disabled={reason.trim() === "" || (forced && !sure)}>
              Continue
            </button>
          </div>
        </form>
      ) : (
        <div class="stack">
          <p>
            From now on every question is ranked by <strong>version {version.id}</strong> instead of version {champion}. Requests
            under way finish on version {champion}. You can roll back at any time.
          </p>
          <p class="wrap-anywhere">
            <span class="muted">Reason:</span> {reason} {forced && <span class="badge bad">forced</span>}
          </p>
          {error !== "" && (
            <Notice tone="bad" urgent>
              {error}
            </Notice>
          )}
          <div class="dialog-actions">
            <button type="button" class="button" disabled={busy} onClick={() => setStep(1)}>
              Back
            </button>
            <button type="button" class="button primary" disabled={busy} ref={(button) => button?.focus()} onClick={promote}>
              {busy ? "Promoting…" : `Promote version ${version.id}`}
            </button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** The champion of its day, that the gate's decision is about. */
function judgedAgainst(version: Version): number | null {
  const against = version.metrics["against"] as { version?: unknown } | undefined;
  return typeof against?.version === "number" ? against.version : null;
}

function Changes({ champion, version }: { champion: number; version: number }) {
  const [found, setFound] = useState<Comparison | string | null>(null);
  useEffect(() => {
    api.compare(champion, version).then(setFound, (error: unknown) => setFound(message(error)));
  }, [champion, version]);
  if (found === null) return <p class="muted small">Loading what changes…</p>;
  if (typeof found === "string") return <Notice tone="warn">{found}</Notice>;
  return <MetricTable comparison={found} />;
}
