import { useState } from "preact/hooks";
import * as api from "../api/client";
import type { Job } from "../api/types";
import { ago, capital, people, percent, plural, seconds, when, words } from "../lib/format";
import { Notice } from "../ui/Notice";
import { JobBadge } from "./badges";
import { jobs, overview } from "./data";
import { JobPanel } from "./JobPanel";
import { go, route } from "./route";
import { Schedule } from "./Schedule";
import { Shown } from "./Shown";
import { Term } from "./Term";
import { useAct } from "./useAct";
import { useLoad } from "./useLoad";

export function JobsPage() {
  useLoad(jobs, 5);
  useLoad(overview);
  const open = Number(route.value.rest[0]);
  return (
    <>
      <div class="page-head">
        <h1>Jobs</h1>
        <Start />
      </div>
      <Waiting />
      {open > 0 && <JobPanel key={open} id={open} />}
      <Schedule />
      <Shown source={jobs} what="jobs">
        {(list) => <List list={list} open={open} />}
      </Shown>
    </>
  );
}

function Start() {
  const [last, setLast] = useState("");
  const { busy, error, act } = useAct();
  const start = (kind: "nightly" | "evaluate") =>
    act(async () => {
      const { job_id } = await api.startJob({ kind });
      await jobs.load();
      setLast(kind);
      go("jobs", job_id);
    });
  return (
    <div class="row">
      {error !== "" && (
        <span class="bad small" role="alert">
          {error}
        </span>
      )}
      <button type="button" class="button" disabled={busy} onClick={() => start("evaluate")}>
        Evaluate the champion
      </button>
      <button type="button" class="button primary" disabled={busy} onClick={() => start("nightly")}>
        {busy && last === "" ? "Starting…" : "Train now"}
      </button>
    </div>
  );
}

/** Why the next night may train nothing, beside the button that does not ask. */
function Waiting() {
  const night = overview.data.value?.gate.says.find((text) => text.includes("newly judged"));
  if (night === undefined) return null;
  return (
    <p class="muted small">
      {night} “Train now” does not wait for them; the <Term of="gate">gate</Term> decides all the same.
    </p>
  );
}

function List({ list, open }: { list: Job[]; open: number }) {
  if (list.length === 0) {
    return <Notice>No job has run yet. “Train now” runs the nightly job at once.</Notice>;
  }
  return (
    <div class="table-wrap">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">State</th>
            <th scope="col">Stage</th>
            <th scope="col">Asked for</th>
            <th scope="col" class="right">
              Took
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {list.map((job) => (
            <tr key={job.id} class={job.id === open ? "current" : undefined}>
              <td class="nowrap">
                <a href={`#jobs/${job.id}`}>
                  {capital(words(job.kind))} {job.id}
                </a>
              </td>
              <td>
                <JobBadge job={job} />
              </td>
              <td class="nowrap" data-name="Stage">{job.state === "running" ? `${words(job.stage)}, ${percent(job.progress)}` : words(job.stage)}</td>
              <td class="nowrap" data-name="Asked for" title={when(job.created_at)}>
                {ago(job.created_at)} <span class="muted">by {people(job.requested_by)}</span>
              </td>
              <td class="num right nowrap" data-name="Took">{took(job)}</td>
              <td class="wrap-anywhere" data-name="Outcome">{outcome(job)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function took(job: Job): string {
  if (job.started_at === null) return "–";
  const end = job.finished_at === null ? Date.now() : new Date(job.finished_at).getTime();
  return seconds(Math.max(0, end - new Date(job.started_at).getTime()) / 1000);
}

export function outcome(job: Job): string {
  if (job.error !== null) return job.error;
  const result = job.result;
  if (result === null) return "";
  const told: string[] = [];
  if (typeof result.version === "number") told.push(`Version ${result.version}`);
  if (typeof result.decision === "string") told.push(words(result.decision));
  const head = told.length === 0 ? "" : `${told.join(", ")}. `;
  if (Array.isArray(result.reasons) && typeof result.reasons[0] === "string") return head + result.reasons[0];
  return head === "" && typeof result.chunks === "number" ? plural(result.chunks, "chunk") : head;
}
