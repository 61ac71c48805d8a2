import type { JudgmentFilter } from "../api/client";
import { words } from "../lib/format";
import { repos } from "./data";

const sources = ["chunk_vote", "correction", "thumb", "stars", "click", "golden", "imported"];

interface Props {
  filter: JudgmentFilter;
  onChange: (filter: JudgmentFilter) => void;
}

export function Filters({ filter, onChange }: Props) {
  const set = (part: Partial<JudgmentFilter>) => onChange({ ...filter, ...part });
  const state = filter.conflict === true ? "conflict" : filter.retired === true ? "retired" : filter.retired === false ? "live" : "";
  return (
    <div class="row end filters" role="group" aria-label="Filters">
      <label class="field">
        <span>Repository</span>
        <select class="input" value={filter.repo} onChange={(event) => set({ repo: event.currentTarget.value })}>
          <option value="">Any</option>
          {(repos.data.value ?? []).map((repo) => (
            <option key={repo.name} value={repo.name}>
              {repo.name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Signal</span>
        <select class="input" value={filter.source} onChange={(event) => set({ source: event.currentTarget.value })}>
          <option value="">Any</option>
          {sources.map((source) => (
            <option key={source} value={source}>
              {words(source)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>State</span>
        <select
          class="input"
          value={state}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            set({
              conflict: chosen === "conflict" ? true : null,
              retired: chosen === "retired" ? true : chosen === "live" ? false : null,
            });
          }}
        >
          <option value="">Any</option>
          <option value="conflict">Contradicted</option>
          <option value="live">In use</option>
          <option value="retired">Retired</option>
        </select>
      </label>
      <label class="field">
        <span>Person</span>
        <input class="input" maxLength={200} value={filter.actor} onInput={(event) => set({ actor: event.currentTarget.value.trim() })} />
      </label>
    </div>
  );
}
