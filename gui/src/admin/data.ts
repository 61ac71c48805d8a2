/** What several parts of the admin page show: fetched once, fetched again after each change. */
import * as api from "../api/client";
import type { Version } from "../api/types";
import { fetched } from "../lib/signals";
import { noticeRefusal } from "./session";

function guarded<T>(get: () => Promise<T>): () => Promise<T> {
  return () =>
    get().catch((error: unknown) => {
      noticeRefusal(error);
      throw error;
    });
}

export const overview = fetched(guarded(api.overview));
export const ledger = fetched(guarded(api.deployments));
export const jobs = fetched(guarded(api.jobs));
export const repos = fetched(guarded(api.adminRepos));
export const actors = fetched(guarded(api.actors));
export const heldBack = fetched(guarded(api.heldBack));
export const golden = fetched(guarded(api.golden));
export const dataSets = fetched(guarded(api.dataSets));
export const schedule = fetched(guarded(api.schedule));
/** Enough versions for the pickers; the list itself is paged. */
export const recent = fetched(guarded(() => api.versions(200, 0)));

export async function afterDeployment(): Promise<void> {
  await Promise.all([overview.load(), ledger.load(), recent.load()]);
}

export function versionName(id: number, versions: Version[] | undefined): string {
  const name = versions?.find((version) => version.id === id)?.name;
  return name === undefined ? `version ${id}` : `version ${id} (${name})`;
}
