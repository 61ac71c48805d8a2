import type { JudgmentFilter } from "../api/client";
import { people, words } from "../lib/format";
import { Choice } from "./Choice";
import { actors, repos } from "./data";
import { Search } from "./Search";

const sources = ["chunk_vote", "correction", "thumb", "stars", "click", "golden", "imported"];
const states: [string, string][] = [
  ["conflict", "Contradicted"],
  ["live", "In use"],
  ["retired", "Retired"],
];

interface Props {
  filter: JudgmentFilter;
  onChange: (filter: JudgmentFilter) => void;
}

export function Filters({ filter, onChange }: Props) {
  const set = (part: Partial<JudgmentFilter>) => onChange({ ...filter, ...part });
  const state = filter.conflict === true ? "conflict" : filter.retired === true ? "retired" : filter.retired === false ? "live" : "";
  return (
    <div class="row end filters" role="group" aria-label="Filters">
      <Search value={filter.search} onChange={(search) => set({ search })} />
      <Choice name="Repository" value={filter.repo} options={repoNames()} onChange={(repo) => set({ repo })} />
      <Choice name="Signal" value={filter.source} options={sources.map((each) => [each, words(each)])} onChange={(source) => set({ source })} />
      <Choice
        name="State"
        value={state}
        options={states}
        onChange={(chosen) =>
          set({ conflict: chosen === "conflict" ? true : null, retired: chosen === "retired" ? true : chosen === "live" ? false : null })
        }
      />
      <Choice
        name="Person"
        value={filter.actor}
        any="Anybody"
        options={(actors.data.value ?? []).map((each) => [each.actor, `${people(each.actor)} (${each.judgments})`])}
        onChange={(actor) => set({ actor })}
      />
    </div>
  );
}

export function repoNames(): [string, string][] {
  return (repos.data.value ?? []).map((repo) => [repo.name, repo.name]);
}
