import { plural } from "../lib/format";
import { chooseRepo, repo, repos } from "./state";

export function RepoPicker() {
  const list = repos.data.value ?? [];
  const chosen = repo.value;
  const known = chosen === null || list.some((each) => each.name === chosen);
  return (
    <label class="picker">
      <span class="sr-only">Repository</span>
      <select
        class="input"
        value={chosen ?? ""}
        onChange={(event) => chooseRepo(event.currentTarget.value === "" ? null : event.currentTarget.value)}
      >
        <option value="">{list.length === 1 ? "All code" : "All repositories"}</option>
        {!known && <option value={chosen ?? ""}>{chosen} (not indexed)</option>}
        {list.map((each) => (
          <option key={each.name} value={each.name}>
            {each.name} · {plural(each.files, "file")}
          </option>
        ))}
      </select>
    </label>
  );
}
