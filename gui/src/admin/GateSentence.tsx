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
        ? "This version does not rerank: results stay as the first stage orders them."
        : "The gate has not judged this version.";
  return (
    <Notice tone={decision === "promote" ? "plain" : decision === "reject" ? "bad" : "warn"}>
      <p>{sentence}</p>
      {version.reasons.length > 0 && (
        <ul>
          {version.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
