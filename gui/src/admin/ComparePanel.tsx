import { useEffect, useState } from "preact/hooks";
import * as api from "../api/client";
import { message } from "../api/http";
import type { Comparison } from "../api/types";
import { plural } from "../lib/format";
import { IconButton } from "../ui/IconButton";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { recent } from "./data";
import { GateSentence } from "./GateSentence";
import { MetricTable } from "./MetricTable";
import { QueryList } from "./QueryList";
import { go } from "./route";

/** Two versions, metric by metric and question by question. */
export function ComparePanel({ a, b }: { a: number; b: number }) {
  const [found, setFound] = useState<Comparison | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let current = true;
    setFound(null);
    setError("");
    if (a === b) return;
    api.compare(a, b).then(
      (value) => current && setFound(value),
      (problem: unknown) => current && setError(message(problem)),
    );
    return () => {
      current = false;
    };
  }, [a, b]);
  return (
    <section class="panel stack" aria-label="Compare versions">
      <div class="row">
        <h2>Compare</h2>
        <Picker label="First version" value={a} onPick={(id) => go("versions", "compare", id, b)} />
        <span class="muted">with</span>
        <Picker label="Second version" value={b} onPick={(id) => go("versions", "compare", a, id)} />
        <span class="grow" />
        <IconButton icon="close" label="Close the comparison" onClick={() => go("versions")} />
      </div>
      {a === b ? (
        <Notice>Choose two different versions.</Notice>
      ) : error !== "" ? (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      ) : found === null ? (
        <Loading what="the comparison" />
      ) : (
        <Body found={found} />
      )}
    </section>
  );
}

function Picker({ label, value, onPick }: { label: string; value: number; onPick: (id: number) => void }) {
  const versions = recent.data.value?.versions ?? [];
  return (
    <select class="input" aria-label={label} value={value} onChange={(event) => onPick(Number(event.currentTarget.value))}>
      {!versions.some((version) => version.id === value) && <option value={value}>Version {value}</option>}
      {versions.map((version) => (
        <option key={version.id} value={version.id}>
          Version {version.id} ({version.name}){version.champion ? ", serving" : ""}
        </option>
      ))}
    </select>
  );
}

function Body({ found }: { found: Comparison }) {
  return (
    <>
      <GateSentence version={found.b} />
      <MetricTable comparison={found} />
      {found.wins + found.losses + found.ties > 0 && (
        <p>
          Version {found.b.id} wins on <strong class="good">{plural(found.wins, "question")}</strong>, loses on{" "}
          <strong class="bad">{found.losses}</strong>, ties on {found.ties}.
        </p>
      )}
      <QueryList found={found} />
    </>
  );
}
