import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import * as api from "../api/client";
import { message } from "../api/http";
import type { Receipt } from "../api/types";
import { ago, people, words } from "../lib/format";
import { Notice } from "../ui/Notice";
import { receipts, recorded } from "./saves";
import type { Turn } from "./turn";
import { spotOf, Where } from "./Where";

/** Judgments are made some seconds after the rating: then the receipt is asked for once more. */
const judgedAfter = 6000;

/** What became of a rating: judgments, data sets, versions, and the rank then and now. Follows each saved rating. */
export function ReceiptPanel({ answer, turn }: { answer: string; turn: Turn }) {
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  const [error, setError] = useState("");
  const saved = receipts.value[answer];
  useEffect(() => {
    let current = true;
    const load = () =>
      void api.receipt(answer).then(
        (value) => {
          if (!current) return;
          setReceipt(value);
          setError("");
        },
        (problem: unknown) => current && setError(message(problem)),
      );
    load();
    const timer = saved === undefined ? 0 : window.setTimeout(load, judgedAfter);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [answer, saved]);
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  return (
    <section class="receipt" aria-label="Receipt" aria-busy={receipt === null}>
      {receipt === null ? <p class="muted">Loading the receipt…</p> : <Told receipt={receipt} turn={turn} />}
    </section>
  );
}

function Told({ receipt, turn }: { receipt: Receipt; turn: Turn }) {
  return (
    <>
      {!receipt.message.startsWith(recorded.slice(0, -1)) && <p>{receipt.message}</p>}
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
              <Meaning key={judgment.id} judgment={judgment} receipt={receipt} turn={turn} />
            ))}
          </ul>
        </div>
      )}
      {receipt.ranks.length > 0 && <Ranks receipt={receipt} turn={turn} />}
    </>
  );
}

interface MeaningProps {
  judgment: Receipt["judgments"][number];
  receipt: Receipt;
  turn: Turn;
}

function Meaning({ judgment, receipt, turn }: MeaningProps) {
  const spot = spotOf(judgment.chunk_id, turn, receipt.ranks);
  return (
    <li>
      {spot === undefined ? "A place that is not shown here" : <Where spot={spot} turn={turn} />}
      <div>
        {judgment.relevance >= 0.5 ? "Relevant" : "Not relevant"}, weight <span class="num">{judgment.weight.toFixed(2)}</span>
        {judgment.conflict && <span class="badge warn">contradicted</span>}
        {judgment.vetoed && <span class="badge bad">vetoed</span>}
        {judgment.retired && <span class="badge">retired</span>}
        <span class="muted"> {people(judgment.reasons.join("; "))}</span>
      </div>
    </li>
  );
}

/** Two columns where something moved; one sentence where nothing did. */
function Ranks({ receipt, turn }: { receipt: Receipt; turn: Turn }) {
  const now = receipt.model_now ?? receipt.model_then;
  const ranks = byRank(receipt.ranks);
  if (now === receipt.model_then && ranks.every((rank) => rank.then === rank.now)) {
    return (
      <p>
        {now === 0 ? "Search alone (version 0)" : `Version ${now}`} still ranks as it did:{" "}
        {ranks.map((rank, index) => (
          <Fragment key={rank.chunk_id}>
            {index > 0 && ", "}
            <Where spot={spotOf(rank.chunk_id, turn) ?? rank} turn={turn} />{" "}
            <span class="nowrap">{rank.now === null ? "not found" : `at ${rank.now}`}</span>
          </Fragment>
        ))}
        .
      </p>
    );
  }
  return (
    <table>
      <caption>
        Rank then (version {receipt.model_then}) and now (version {now})
      </caption>
      <thead>
        <tr>
          <th scope="col">Place</th>
          <th scope="col">Then</th>
          <th scope="col">Now</th>
        </tr>
      </thead>
      <tbody>
        {ranks.map((rank) => (
          <tr key={rank.chunk_id}>
            <td>
              <Where spot={spotOf(rank.chunk_id, turn) ?? rank} turn={turn} />
            </td>
            <td class="num">{rank.then ?? "not found"}</td>
            <td class="num">{rank.now ?? "not found"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** As the answer showed them; what it did not find comes last. */
function byRank(ranks: Receipt["ranks"]): Receipt["ranks"] {
  const place = (rank: number | null) => rank ?? Number.POSITIVE_INFINITY;
  return [...ranks].sort((one, other) => place(one.then) - place(other.then) || one.chunk_id - other.chunk_id);
}
