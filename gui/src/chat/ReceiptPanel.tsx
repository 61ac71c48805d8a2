import { useEffect, useState } from "preact/hooks";
import * as api from "../api/client";
import { message } from "../api/http";
import type { RatingState, Receipt } from "../api/types";
import { ago, lines, people, words } from "../lib/format";
import { Notice } from "../ui/Notice";
import { recorded } from "./saves";

/** What became of a rating: judgments, data sets, versions, and the rank then and now. */
export function ReceiptPanel({ answer, rating }: { answer: string; rating: RatingState }) {
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let current = true;
    api.receipt(answer).then(
      (value) => {
        if (!current) return;
        setReceipt(value);
        setError("");
      },
      (problem: unknown) => current && setError(message(problem)),
    );
    return () => {
      current = false;
    };
  }, [answer, rating]);
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  return (
    <section class="receipt" aria-label="Receipt" aria-busy={receipt === null}>
      {receipt === null ? <p class="muted">Loading the receipt…</p> : <Told receipt={receipt} />}
    </section>
  );
}

function Told({ receipt }: { receipt: Receipt }) {
  return (
    <>
      {receipt.message !== recorded && <p>{receipt.message}</p>}
      {receipt.versions.length > 0 && (
        <div>
          <h4>Versions that learned from it</h4>
          <ul>
            {receipt.versions.map((version) => (
              <li key={version.id}>
                Version {version.id} <span class="muted">({version.name})</span>, trained {ago(version.created_at)}
                {version.champion ? (
                  <span class="badge accent">serving</span>
                ) : (
                  version.decision !== null && <span class="badge">{words(version.decision)}</span>
                )}{" "}
                <span class="muted mono">data set {version.snapshot_hash.slice(0, 10)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {receipt.judgments.length > 0 && (
        <div>
          <h4>What it was taken to mean</h4>
          <ul>
            {receipt.judgments.map((judgment) => (
              <li key={judgment.id}>
                {judgment.relevance >= 0.5 ? "Relevant" : "Not relevant"}, weight{" "}
                <span class="num">{judgment.weight.toFixed(2)}</span>
                {judgment.conflict && <span class="badge warn">contradicted</span>}
                {judgment.vetoed && <span class="badge bad">vetoed</span>}
                {judgment.retired && <span class="badge">retired</span>}
                <span class="muted"> {people(judgment.reasons.join("; "))}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {receipt.ranks.length > 0 && (
        <table>
          <caption>
            Rank then (version {receipt.model_then}) and now (version {receipt.model_now ?? receipt.model_then})
          </caption>
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Then</th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {byRank(receipt.ranks).map((rank) => (
              <tr key={rank.chunk_id}>
                <td class="mono wrap-anywhere">
                  {rank.path}:{lines(rank.start_line, rank.end_line)}
                </td>
                <td class="num">{rank.then ?? "not found"}</td>
                <td class="num">{rank.now ?? "not found"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** As the answer showed them; what it did not find comes last. */
function byRank(ranks: Receipt["ranks"]): Receipt["ranks"] {
  const place = (rank: number | null) => rank ?? Number.POSITIVE_INFINITY;
  return [...ranks].sort((one, other) => place(one.then) - place(other.then) || one.chunk_id - other.chunk_id);
}
