import type { Deployment } from "../api/types";
import { ago, people, when } from "../lib/format";
import { ledger, overview } from "./data";
import { RollBackButton } from "./RollBackButton";
import { Shown } from "./Shown";
import { useLoad } from "./useLoad";

const acts = { initial: "Start", promote: "Promoted", rollback: "Rolled back", compensate: "Restored" } as const;
const tones = { initial: "", promote: "good", rollback: "warn", compensate: "bad" } as const;

export function DeploymentsPage() {
  useLoad(ledger, 15);
  useLoad(overview);
  return (
    <>
      <div class="page-head">
        <h1>Deployments</h1>
        <RollBackButton />
      </div>
      <p class="muted">Every change of the champion: who, when, from, to and why. Nothing is ever removed.</p>
      <Shown source={ledger} what="the ledger">
        {(entries) => <Ledger entries={entries} />}
      </Shown>
    </>
  );
}

function Ledger({ entries }: { entries: Deployment[] }) {
  return (
    <div class="table-wrap">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">From → to</th>
            <th scope="col">Who</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td class="nowrap" title={when(entry.at)}>
                {ago(entry.at)}
              </td>
              <td>
                <span class="badges">
                  <span class={`badge ${tones[entry.action]}`}>{acts[entry.action]}</span>
                  {entry.forced && <span class="badge bad">forced</span>}
                </span>
              </td>
              <td class="nowrap num" data-name="From → to">
                {entry.from_version === null ? "–" : <a href={`#versions/${entry.from_version}`}>{entry.from_version}</a>} →{" "}
                <a href={`#versions/${entry.to_version}`}>{entry.to_version}</a>
              </td>
              <td class="wrap-anywhere" data-name="Who">{people(entry.actor)}</td>
              <td class="wrap-anywhere" data-name="Why">
                {entry.reason}
                {entry.job_id !== null && (
                  <>
                    {" "}
                    <a href={`#jobs/${entry.job_id}`}>job {entry.job_id}</a>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
