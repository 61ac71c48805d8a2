import * as api from "../api/client";
import type { Job } from "../api/types";
import { capital, count, learningRate, pace, people, percent, seconds, when, words } from "../lib/format";
import { IconButton } from "../ui/IconButton";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { JobBadge } from "./badges";
import { jobs } from "./data";
import { ended, useJob, type Live, type Reading, type Step } from "./jobLive";
import { JobLog } from "./JobLog";
import { outcome } from "./JobsPage";
import { go } from "./route";
import { TrainingCurve } from "./TrainingCurve";
import { useAct } from "./useAct";

/** One job, live. */
export function JobPanel({ id }: { id: number }) {
  const live = useJob(id);
  const { job } = live;
  return (
    <section class="panel stack" aria-label={`Job ${id}`}>
      <div class="row">
        <h2>
          {job === null ? "Job" : `${capital(words(job.kind))} job`} {id}
        </h2>
        {job !== null && <JobBadge job={job} />}
        <span class="grow" />
        {job !== null && !ended(job) && <Cancel job={job} />}
        <IconButton icon="close" label="Close this job" onClick={() => go("jobs")} />
      </div>
      {live.error !== "" && <Notice tone="warn">{live.error} Trying again.</Notice>}
      {job === null ? live.error === "" && <Loading what="the job" /> : <Body job={job} live={live} />}
    </section>
  );
}

function Cancel({ job }: { job: Job }) {
  const { busy, error, act } = useAct();
  return (
    <>
      {error !== "" && (
        <span class="bad small" role="alert">
          {error}
        </span>
      )}
      <button
        type="button"
        class="button danger small"
        disabled={busy || job.cancel_requested}
        onClick={() =>
          act(async () => {
            await api.cancelJob(job.id);
            await jobs.load();
          })
        }
      >
        {job.cancel_requested ? "Stopping…" : "Cancel"}
      </button>
    </>
  );
}

function Body({ job, live }: { job: Job; live: Live }) {
  const running = job.state === "running";
  const last = live.steps.at(-1);
  return (
    <>
      {!ended(job) && (
        <div class="progress-row">
          <progress max={1} value={job.progress} aria-label="Progress" />
          <span class="num small nowrap">
            {running ? `${words(job.stage)} · ${percent(job.progress)}` : "Waiting for its turn"}
          </span>
        </div>
      )}
      {job.error !== null && (
        <Notice tone="bad" urgent>
          {job.error}
        </Notice>
      )}
      {ended(job) && job.error === null && outcome(job) !== "" && <p>{outcome(job)}</p>}
      {running && live.reading !== null ? (
        <Facts all={ofReading(live.reading)} />
      ) : (
        last !== undefined && <Facts all={ofStep(last, running)} />
      )}
      {live.steps.length > 1 && <TrainingCurve steps={live.steps} />}
      <p class="muted small">
        Asked for by {people(job.requested_by)} at {when(job.created_at)}
        {job.attempt > 1 && `, attempt ${job.attempt}`}
      </p>
      <JobLog lines={live.log} />
    </>
  );
}

function ofStep(step: Step, running: boolean): [string, string][] {
  const all: [string, string][] = [
    ["Step", `${count(step.step)} of ${count(step.steps)}`],
    ["Loss", step.loss.toFixed(3)],
    ["Learning rate", learningRate(step.learning_rate)],
    ["Pairs a second", pace(step.pairs_per_second)],
  ];
  if (running) all.push(["Time left (training)", seconds(step.seconds_left)]);
  return all;
}

function ofReading(reading: Reading): [string, string][] {
  return [
    ["Pairs read", `${count(reading.pairs_done)} of ${count(reading.pairs)}`],
    ["Pairs a second", pace(reading.pairs_per_second)],
    ["Time left (reading)", seconds(reading.seconds_left)],
  ];
}

function Facts({ all }: { all: [string, string][] }) {
  return (
    <dl class="pace">
      {all.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
