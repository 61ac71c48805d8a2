import { count, plural } from "../lib/format";
import { overview, repos } from "./data";
import { Golden } from "./Golden";
import { HeldBack } from "./HeldBack";
import { Judgments } from "./Judgments";
import { Pairs } from "./Pairs";
import { route } from "./route";
import { Term } from "./Term";
import { useLoad } from "./useLoad";

const views = [
  ["", "Judgments"],
  ["pairs", "Pairs"],
  ["golden", "Golden questions"],
] as const;

export function DataPage() {
  useLoad(repos);
  useLoad(overview);
  const [view, dataSet = ""] = route.value.rest;
  const shown = view === "pairs" || view === "golden" ? view : "";
  return (
    <>
      <h1>Data</h1>
      <HeldBack />
      <Gate />
      <nav class="segmented" aria-label="Data">
        {views.map(([name, title]) => (
          <a key={name} href={name === "" ? "#data" : `#data/${name}`} aria-current={shown === name ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      {shown === "pairs" ? <Pairs key={dataSet} dataSet={dataSet} /> : shown === "golden" ? <Golden /> : <Judgments />}
    </>
  );
}

/** How much is judged, and how much more the gate would need. */
function Gate() {
  const known = overview.data.value;
  if (known === null) return null;
  const { counts, gate } = known;
  return (
    <section class="panel tight" aria-label="What the gate needs">
      <p class="headline">
        {gate.more > 0 ? (
          <>
            About {count(gate.more)} more <Term of="judged">{gate.more === 1 ? "judged question" : "judged questions"}</Term> for the{" "}
            <Term of="gate">gate</Term>
          </>
        ) : (
          <>
            Enough is judged for the <Term of="gate">gate</Term> to decide
          </>
        )}
      </p>
      {gate.says.map((text) => (
        <p key={text}>{text}</p>
      ))}
      <p class="muted small">
        {plural(gate.usable, "judged question")} can be scored, {count(gate.held_out)} of them held out from training.{" "}
        {plural(counts.judgments, "judgment")}, {count(counts.strong_judgments)} strong;{" "}
        {plural(counts.conflicts, "contradiction")}, {count(counts.retired)} retired.
      </p>
    </section>
  );
}
