import type { Deployment } from "../api/types";

/** The champion before this one: the latest ledger entry that left another version for it. */
export function previousChampion(ledger: Deployment[], now: number): number | null {
  return earlierChampions(ledger, now)[0] ?? null;
}

/** Every version that has served before, latest first, without the one that serves now. */
export function earlierChampions(ledger: Deployment[], now: number): number[] {
  const seen = new Set<number>();
  for (const entry of ledger) {
    for (const version of [entry.to_version, entry.from_version]) {
      if (version !== null && version !== now) seen.add(version);
    }
  }
  return [...seen];
}
