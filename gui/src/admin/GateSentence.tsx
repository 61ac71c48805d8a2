import type { Version } from "../api/types";
import { Notice } from "../ui/Notice";

const sentences = {
  promote: "The gate is convinced: this version is better than the champion of its day.",
  reject: "The gate rejects this version.",
  not_proven: "The gate is not convinced: nothing proves that this version is better.",
} as const;

export function GateSentence({ version }: { version: Version }) {
  const decision = version.decision;
  const sentence =
    decision !== null
      ? sentences[decision]
      : version.form === "first_stage"
        ? "This version does not rerank: results stay as search alone orders them."
        : "The gate has not judged this version.";
  return (
    <Notice tone={decision === "promote" ? "plain" : decision === "reject" ? "bad" : "warn"}>
      <p>{sentence}</p>
      <GateReasons version={version} />
    </Notice>
  );
}

/** What decided, and the checks that did not behind a fold. Versions of earlier releases show all of them. */
export function GateReasons({ version }: { version: Version }) {
  const { reasons } = version;
  if (reasons.length === 0) return null;
  const decided = deciding(version.metrics["gate"]) ?? reasons.length;
  const others = reasons.slice(decided);
  return (
    <>
      <List reasons={reasons.slice(0, decided)} />
      {others.length > 0 && (
        <details>
          <summary>{others.length === 1 ? "1 other check" : `${others.length} other checks`}</summary>
          <List reasons={others} />
        </details>
      )}
    </>
  );
}

function List({ reasons }: { reasons: string[] }) {
  return (
    <ul>
      {reasons.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  );
}

function deciding(gate: unknown): number | null {
  if (typeof gate !== "object" || gate === null || !("deciding" in gate)) return null;
  return typeof gate.deciding === "number" ? gate.deciding : null;
}
