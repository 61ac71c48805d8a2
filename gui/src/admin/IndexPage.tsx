import { useState } from "preact/hooks";
import * as api from "../api/client";
import type { AdminRepo } from "../api/types";
import { ago, count, plural, when } from "../lib/format";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { WhyButton } from "../ui/WhyButton";
import { repos } from "./data";
import { tell } from "./flash";
import { Shown } from "./Shown";
import { useAct } from "./useAct";
import { useLoad } from "./useLoad";

export function IndexPage() {
  useLoad(repos, 3);
  return (
    <>
      <h1>Index</h1>
      <AddRepo />
      <Shown source={repos} what="repositories">
        {(list) =>
          list.length === 0 ? (
            <Notice>Nothing is indexed yet. Add a directory of the server's machine above.</Notice>
          ) : (
            <ul class="repo-list">
              {list.map((repo) => (
                <Repo key={repo.id} repo={repo} />
              ))}
            </ul>
          )
        }
      </Shown>
    </>
  );
}

function AddRepo() {
  const [name, setName] = useState("");
  const [path, setPath] = useState("");
  const { busy, error, act } = useAct();
  const add = () =>
    act(async () => {
      const accepted = await api.addRepo(name.trim(), path.trim());
      await repos.load();
      tell(`Indexing ${accepted.name} (job ${accepted.job_id}).`);
      setName("");
      setPath("");
    });
  return (
    <form
      class="panel stack"
      aria-label="Add a repository"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <div class="row end">
        <label class="field">
          <span>Name</span>
          <input class="input" required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label class="field grow">
          <span>Directory on the server's machine</span>
          <input
            class="input mono"
            required
            maxLength={4096}
            placeholder="/srv/code/shop"
            value={path}
            onInput={(event) => setPath(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary" disabled={busy || name.trim() === "" || path.trim() === ""}>
          {busy ? "Adding…" : "Add and index"}
        </button>
      </div>
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
    </form>
  );
}

function Repo({ repo }: { repo: AdminRepo }) {
  const [removing, setRemoving] = useState(false);
  const { busy, error, act } = useAct();
  const skipped = Object.entries(repo.skipped).filter(([, n]) => n > 0);
  const total = skipped.reduce((sum, [, n]) => sum + n, 0);
  return (
    <li class="panel stack">
      <div class="row">
        <h2 class="wrap-anywhere">{repo.name}</h2>
        {repo.job_id !== null && (
          <a class="badge info" href={`#jobs/${repo.job_id}`}>
            indexing, job {repo.job_id}
          </a>
        )}
        <span class="grow" />
        <button
          type="button"
          class="button small"
          aria-label={`Index ${repo.name} again`}
          disabled={busy || repo.job_id !== null}
          onClick={() =>
            act(async () => {
              const { job_id } = await api.reindexRepo(repo.name);
              await repos.load();
              tell(`Indexing ${repo.name} again (job ${job_id}).`);
            })
          }
        >
          Index again
        </button>
        <WhyButton
          class="danger small"
          why={repo.job_id === null ? "" : `It is being indexed: wait for job ${repo.job_id}, or cancel it.`}
          label={`Remove ${repo.name}`}
          onClick={() => setRemoving(true)}
        >
          Remove
        </WhyButton>
      </div>
      <p class="mono muted wrap-anywhere">{repo.path}</p>
      <p>
        {plural(repo.files, "file")}, {plural(repo.chunks, "chunk")}.{" "}
        <span class="muted">
          {repo.indexed_at === null ? "Not indexed yet." : <span title={when(repo.indexed_at)}>Indexed {ago(repo.indexed_at)}.</span>}
        </span>
      </p>
      {total > 0 && (
        <details>
          <summary>{plural(total, "file")} skipped, and why</summary>
          <ul class="plain-list small">
            {skipped.map(([reason, n]) => (
              <li key={reason}>
                <span class="num">{count(n)}</span> {reason.replaceAll("_", " ")}
              </li>
            ))}
          </ul>
        </details>
      )}
      {repo.secrets > 0 && (
        <details>
          <summary>{plural(repo.secrets, "secret")} left out of the index, and where</summary>
          <p class="small muted">Whoever can read the files can read them there: move them out of the code and renew them.</p>
          <ul class="plain-list small">
            {repo.secrets_at.map((place, n) => (
              <li key={n}>
                <span class="mono wrap-anywhere">
                  {place.path}:{place.line}
                </span>{" "}
                {place.kind}
              </li>
            ))}
          </ul>
          {repo.secrets > repo.secrets_at.length && <p class="small muted">The first {count(repo.secrets_at.length)} are listed.</p>}
        </details>
      )}
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      {removing && <Remove repo={repo} onClose={() => setRemoving(false)} />}
    </li>
  );
}

function Remove({ repo, onClose }: { repo: AdminRepo; onClose: () => void }) {
  const { busy, error, act } = useAct();
  return (
    <Dialog title={`Remove ${repo.name}?`} onClose={onClose}>
      <p>
        Its {plural(repo.chunks, "chunk leaves", "chunks leave")} the search at once. What people judged in it is kept, and your files are not
        touched.
      </p>
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          Keep it
        </button>
        <button
          type="button"
          class="button danger"
          disabled={busy}
          onClick={() =>
            act(async () => {
              await api.removeRepo(repo.name);
              await repos.load();
              tell(`${repo.name} is removed from search.`);
              onClose();
            })
          }
        >
          Remove from search
        </button>
      </div>
    </Dialog>
  );
}
