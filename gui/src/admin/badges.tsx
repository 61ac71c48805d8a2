import type { Job, Version } from "../api/types";
import { words } from "../lib/format";

const decisions = { promote: "good", reject: "bad", not_proven: "warn" } as const;
const decisionWords = { promote: "gate: promote", reject: "gate: reject", not_proven: "gate: not proven" } as const;
const states = { queued: "", running: "info", succeeded: "good", failed: "bad", cancelled: "warn" } as const;

export function VersionBadges({ version }: { version: Version }) {
  return (
    <span class="badges">
      {version.champion && <span class="badge accent">serving</span>}
      {version.form === "first_stage" && <span class="badge">no reranking</span>}
      {version.metrics["repeats"] !== undefined && <span class="badge">rehearsal</span>}
      {version.decision !== null && (
        <span class={`badge ${decisions[version.decision]}`}>{decisionWords[version.decision]}</span>
      )}
    </span>
  );
}

export function JobBadge({ job }: { job: Job }) {
  const text = job.cancel_requested && job.state === "running" ? "stopping" : words(job.state);
  return <span class={`badge ${states[job.state]}`}>{text}</span>;
}
