import { useState } from "preact/hooks";
import type { Overview } from "../api/types";
import { ago, count, percent, plural, when } from "../lib/format";
import { Notice } from "../ui/Notice";
import { VersionBadges } from "./badges";
import { ledger, overview } from "./data";
import { GateReasons } from "./GateSentence";
import { JobLine } from "./JobLine";
import { LearningCurve } from "./LearningCurve";
import { RatingDays } from "./RatingDays";
import { RollBackButton } from "./RollBackButton";
import { go } from "./route";
import { Shown } from "./Shown";
import { ratings, signals } from "./signals";
import { Stat } from "./Stat";
import { Term } from "./Term";
import { useLoad } from "./useLoad";

export function OverviewPage() {
  useLoad(overview, 10);
  useLoad(ledger);
  return (
    <>
      <h1>Overview</h1>
      <Shown source={overview} what="the overview">
        {(data) => <Body data={data} />}
      </Shown>
    </>
  );
}

function Body({ data }: { data: Overview }) {
  return (
    <div class="stack">
      {data.serving_note !== null && (
        <Notice tone="warn" urgent>
          {data.serving_note}
        </Notice>
      )}
      {data.attention.length > 0 && (
        <section class="panel" aria-label="Needs a person">
          <h2>Needs a person</h2>
          <ul class="plain-list">
            {data.attention.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </section>
      )}
      <div class="columns">
        <Champion data={data} />
        <Nightly data={data} />
      </div>
      <Counts counts={data.counts} />
      <section class="panel">
        <h2>Learning curve</h2>
        <p class="muted small">
          <Term of="held_out">Held-out</Term> <Term of="ndcg">ndcg@10</Term> of each <Term of="champion">champion</Term>, with its 95 % interval. Higher is better; 1 is perfect.
        </p>
        <LearningCurve points={data.curve} />
      </section>
      <div class="columns">
        <section class="panel">
          <h2>Ratings a day</h2>
          <p class="muted small">Each time somebody rated, also where it was changed or taken back later.</p>
          <RatingDays days={data.days} />
        </section>
        <Satisfaction rows={data.satisfaction} />
      </div>
    </div>
  );
}

function Champion({ data }: { data: Overview }) {
  const [why, setWhy] = useState(false);
  const { serving, champion } = data;
  return (
    <section class="panel" aria-label="Champion">
      <h2>
        <Term of="champion">Champion</Term>
      </h2>
      <p class="headline">
        Version {champion.version_id} <span class="muted">{serving.id === champion.version_id ? serving.name : ""}</span>
      </p>
      <p class="row">
        <VersionBadges version={serving} />
        <span class="muted small">since {when(champion.since)} ({ago(champion.since)})</span>
      </p>
      {why && (
        <div class="small">
          <GateReasons version={serving} />
        </div>
      )}
      <div class="row">
        <button type="button" class="button small" onClick={() => go("versions", champion.version_id)}>
          Open
        </button>
        <RollBackButton small />
        {serving.reasons.length > 0 && (
          <button type="button" class="button quiet small" aria-expanded={why} onClick={() => setWhy(!why)}>
            Why this one?
          </button>
        )}
      </div>
    </section>
  );
}

function Nightly({ data }: { data: Overview }) {
  const next = data.next_runs[0];
  return (
    <section class="panel" aria-label="Jobs">
      <h2>Next nightly job</h2>
      <p class="headline">{next === undefined ? "Not scheduled" : when(next)}</p>
      <p class="muted small">
        {data.champion.auto_promote ? (
          <>
            Promotes on its own when the <Term of="gate">gate</Term> is convinced.
          </>
        ) : (
          "Automatic promotion is off: a person promotes."
        )}
      </p>
      {data.jobs.length === 0 ? (
        <p class="muted small">No job has run yet.</p>
      ) : (
        <ul class="plain-list" aria-label="Last jobs">
          {data.jobs.slice(0, 3).map((job) => (
            <JobLine key={job.id} job={job} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Counts({ counts }: { counts: Overview["counts"] }) {
  const given = Object.entries(counts.signals).filter(([, n]) => n > 0);
  const rated = given.filter(([kind]) => ratings.includes(kind));
  const others = given.filter(([kind]) => !ratings.includes(kind));
  const list = (some: typeof given) => some.map(([kind, n]) => signals(kind, n)).join(", ");
  return (
    <dl class="stats">
      <Stat name="Chunks" value={count(counts.chunks)}>
        {plural(counts.files, "file")} in {plural(counts.repos, "repository", "repositories")}
      </Stat>
      <Stat name="Answers" value={count(counts.answers)}>
        {plural(counts.conversations, "conversation")}
      </Stat>
      <Stat name="Ratings that hold" value={count(rated.reduce((sum, [, n]) => sum + n, 0))}>
        {list(rated) || "none yet"}
        {others.length > 0 && (
          <>
            . Other <Term of="signals">signals</Term>: {list(others)}
          </>
        )}
      </Stat>
      <Stat name="Judgments" value={count(counts.judgments)}>
        {count(counts.strong_judgments)} strong, {plural(counts.conflicts, "conflict")}
      </Stat>
      <Stat name={<Term of="judged">Judged questions</Term>} value={count(counts.judged_groups)}>
        {count(counts.held_out_groups)} <Term of="held_out">held out</Term>
      </Stat>
    </dl>
  );
}

function Satisfaction({ rows }: { rows: Overview["satisfaction"] }) {
  return (
    <section class="panel">
      <h2>Satisfaction by version</h2>
      {rows.length === 0 ? (
        <p class="muted">No thumbs yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col" class="right">Up</th>
              <th scope="col" class="right">Down</th>
              <th scope="col" class="right">Share up</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.version}>
                <td>
                  <a href={`#versions/${row.version}`}>Version {row.version}</a>
                </td>
                <td class="num right">{count(row.up)}</td>
                <td class="num right">{count(row.down)}</td>
                <td class="num right">
                  {row.up + row.down === 0 ? "–" : `${percent(row.up / (row.up + row.down))} of ${count(row.up + row.down)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
