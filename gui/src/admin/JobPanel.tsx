import * as api from "../api/client";
import type { Job } from "../api/types";
import { capital, learningRate, people, percent, seconds, when, words } from "../lib/format";
import { IconButton } from "../ui/IconButton";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { JobBadge } from "./badges";
import { jobs } from "./data";
import { ended, useJob, type Live, type Step } from "./jobLive";
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
      {last !== undefined && <Pace step={last} running={running} />}
      {live.steps.length > 1 && <TrainingCurve steps={live.steps} />}
      <p class="muted small">
        Asked for by {people(job.requested_by)} at {when(job.created_at)}
        {job.attempt > 1 && `, attempt ${job.attempt}`}
      </p>
      <JobLog lines={live.log} />
    </>
  );
}

function Pace({ step, running }: { step: Step; running: boolean }) {
  const all: [string, string][] = [
    ["Step", `${step.step} of ${step.steps}`],
    ["Loss", step.loss.toFixed(3)],
    ["Learning rate", learningRate(step.learning_rate)],
    ["Pairs a second", step.pairs_per_second.toFixed(step.pairs_per_second < 10 ? 1 : 0)],
  ];
  if (running) all.push(["Time left (training)", seconds(step.seconds_left)]);
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
