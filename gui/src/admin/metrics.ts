import type { Version } from "../api/types";

type Tree = Record<string, unknown>;

function child(tree: unknown, name: string): unknown {
  return typeof tree === "object" && tree !== null ? (tree as Tree)[name] : undefined;
}

/** A version's own metric on the held-out queries, where it was measured. */
export function heldOut(version: Version, name: string): number | null {
  const heldOutPart = child(version.metrics, "held_out");
  for (const place of [child(heldOutPart, "challenger"), heldOutPart, version.metrics]) {
    const value = child(place, name);
    if (typeof value === "number") return value;
  }
  return null;
}

/** Every number of a nested tree as [path in words, value], in order. */
export function flatten(tree: unknown, path: string[] = []): [string, number][] {
  if (typeof tree === "number") return [[path.join(" · "), tree]];
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return [];
  return Object.entries(tree).flatMap(([name, value]) => flatten(value, [...path, name.replaceAll("_", " ")]));
}
