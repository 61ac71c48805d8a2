import type { Job } from "../api/types";
import { ago, capital, percent, words } from "../lib/format";
import { JobBadge } from "./badges";

export function JobLine({ job }: { job: Job }) {
  const doing = job.state === "running" ? `${words(job.stage)}, ${percent(job.progress)}` : ago(job.finished_at ?? job.created_at);
  return (
    <li class="row small">
      <a href={`#jobs/${job.id}`}>
        {capital(words(job.kind))} job {job.id}
      </a>
      <JobBadge job={job} />
      <span class="muted">{doing}</span>
    </li>
  );
}
