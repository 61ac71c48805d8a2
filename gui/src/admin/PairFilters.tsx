import type { PairFilter } from "../api/client";
import type { DataSet } from "../api/types";
import { when, words } from "../lib/format";
import { Choice } from "./Choice";
import { dataSets } from "./data";
import { repoNames } from "./Filters";
import { Search } from "./Search";

const sources = ["chunk_vote", "correction", "thumb", "stars", "click", "golden", "imported", "hard_negative", "random_negative", "code_question"];
const labels: [string, string][] = [
  ["right", "Right"],
  ["wrong", "Wrong"],
];

interface Props {
  filter: PairFilter;
  onChange: (filter: PairFilter) => void;
}

export function PairFilters({ filter, onChange }: Props) {
  const set = (part: Partial<PairFilter>) => onChange({ ...filter, ...part });
  const label = filter.relevant === null ? "" : filter.relevant ? "right" : "wrong";
  return (
    <div class="row end filters" role="group" aria-label="Filters">
      <Search value={filter.search} onChange={(search) => set({ search })} />
      <Choice
        name="Data set"
        value={filter.data_set}
        any="The latest"
        options={(dataSets.data.value ?? []).map((each) => [each.hash, named(each)])}
        onChange={(data_set) => set({ data_set })}
      />
      <Choice name="Repository" value={filter.repo} options={repoNames()} onChange={(repo) => set({ repo })} />
      <Choice name="Label" value={label} options={labels} onChange={(chosen) => set({ relevant: chosen === "" ? null : chosen === "right" })} />
      <Choice name="From" value={filter.source} options={sources.map((each) => [each, words(each)])} onChange={(source) => set({ source })} />
    </div>
  );
}

function named(set: DataSet): string {
  const versions = set.versions.length === 0 ? "" : ` (version ${set.versions.join(", ")})`;
  return `${when(set.created_at)}${versions}`;
}
