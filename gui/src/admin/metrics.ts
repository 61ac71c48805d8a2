import type { Version } from "../api/types";

/** One way of ranking and its means on a body of evidence; `queries` is how many it was measured on. */
export interface Arm {
  name: string;
  values: Record<string, number>;
}

export interface Body {
  name: string;
  arms: Arm[];
}

type Tree = Record<string, unknown>;

function tree(value: unknown): Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Tree) : {};
}

/** A version's stored metrics as bodies of evidence (held out, out of fold, second opinions, golden, general) and their arms. */
export function evidence(version: Version): Body[] {
  return Object.entries(tree(version.metrics.evidence)).map(([name, body]) => ({
    name,
    arms: Object.entries(tree(body)).map(([arm, values]) => ({ name: arm, values: numbers(values) })),
  }));
}

function numbers(value: unknown): Record<string, number> {
  const pairs = Object.entries(tree(value)).filter((pair): pair is [string, number] => typeof pair[1] === "number");
  return Object.fromEntries(pairs);
}

/** A version's own metric on the held-out queries, where it was measured. */
export function heldOut(version: Version, name: string): number | null {
  const body = evidence(version).find((each) => each.name === "held_out");
  return body?.arms.find((arm) => arm.name === "challenger")?.values[name] ?? null;
}
