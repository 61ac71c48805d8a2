import { Fragment } from "preact";
import { lines } from "../lib/format";
import { places } from "./correcting";
import { repos } from "./state";
import type { Turn } from "./turn";

/** A place in the code. */
export interface Spot {
  path: string;
  start_line: number;
  end_line: number;
  repo: string;
}

/** The repository is worth naming only where the question was asked of several. */
export function repoOf(spot: Spot, turn: Turn): string {
  const several = turn.repo === null && (repos.data.value ?? []).length > 1;
  return several ? spot.repo : "";
}

/** "shop/cart.py:10–24", and " in shop" where there are several repositories. */
export function named(spot: Spot, turn: Turn): string {
  const repo = repoOf(spot, turn);
  return `${spot.path}:${lines(spot.start_line, spot.end_line)}${repo === "" ? "" : ` in ${repo}`}`;
}

/** What is known here of a chunk: it was shown, picked in a search, or stands in the receipt. */
export function spotOf(chunk: number | null, turn: Turn, told: (Spot & { chunk_id: number })[] = []): Spot | undefined {
  if (chunk === null) return undefined;
  const here = (each: { chunk_id: number }) => each.chunk_id === chunk;
  return turn.sources.value.find(here) ?? places.value[chunk] ?? told.find(here);
}

/** A place in words: it breaks after a slash before anywhere else, and never inside its line numbers. */
export function Where({ spot, turn, bare = false }: { spot: Spot; turn: Turn; bare?: boolean }) {
  const repo = bare ? "" : repoOf(spot, turn);
  const folders = spot.path.split("/");
  return (
    <span class="where">
      <bdi>
        {folders.map((folder, index) => (
          <Fragment key={index}>
            {folder}
            {index < folders.length - 1 && (
              <>
                /<wbr />
              </>
            )}
          </Fragment>
        ))}
      </bdi>
      <span class="muted nowrap">:{lines(spot.start_line, spot.end_line)}</span>
      {repo !== "" && <span class="muted where-repo"> in {repo}</span>}
    </span>
  );
}
