import { useEffect, useRef } from "preact/hooks";
import type { JobEvent } from "../api/types";
import { count, learningRate, pace, seconds, words } from "../lib/format";
import { asReading } from "./jobLive";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** The tail of a job's log. It follows the end unless the reader has scrolled up. */
export function JobLog({ lines }: { lines: JobEvent[] }) {
  const ref = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  useEffect(() => {
    const box = ref.current;
    if (box !== null && following.current) box.scrollTop = box.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return <p class="muted small">Nothing logged yet.</p>;
  return (
    <div
      ref={ref}
      class="log"
      role="log"
      aria-label="Log"
      aria-live="off"
      tabIndex={0}
      onScroll={(event) => {
        const box = event.currentTarget;
        following.current = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
      }}
    >
      {lines.map((line) => (
        <div key={line.id} class="log-line">
          <time dateTime={line.at}>{clock.format(new Date(line.at))}</time>
          <span class="log-type">{words(line.type)}</span>
          <span class="wrap-anywhere">{step(line.data) ?? reading(line.data) ?? told(line.data)}</span>
        </div>
      ))}
    </div>
  );
}

/** A training step in the units that people think in. */
function step(data: Record<string, unknown>): string | null {
  const { step: at, steps, loss, learning_rate: rate, pairs_per_second: speed, seconds_left: left, fold, folds } = data;
  if (typeof at !== "number" || typeof loss !== "number") return null;
  const parts = [`step ${at} of ${String(steps)}`, `loss ${loss.toFixed(3)}`];
  if (typeof fold === "number") parts.unshift(`fold ${fold} of ${String(folds)}`);
  if (typeof rate === "number") parts.push(`learning rate ${learningRate(rate)}`);
  if (typeof speed === "number") parts.push(`${pace(speed)} pairs/s`);
  if (typeof left === "number") parts.push(`${seconds(left)} left`);
  return parts.join(" · ");
}

/** How far reading the pairs is. */
function reading(data: Record<string, unknown>): string | null {
  const found = asReading(data);
  if (found === null) return null;
  return `${count(found.pairs_done)} of ${count(found.pairs)} pairs read · ${pace(found.pairs_per_second)} pairs/s · ${seconds(found.seconds_left)} left`;
}

function told(data: Record<string, unknown>): string {
  if (typeof data.message === "string") return data.message;
  const { stage, ...rest } = data;
  const parts = Object.entries(rest)
    .filter(([name, value]) => value !== null && name !== "progress")
    .map(([name, value]) => `${words(name)} ${short(value)}`);
  return [...(typeof stage === "string" ? [words(stage)] : []), ...parts].join(" · ");
}

function short(value: unknown): string {
  if (typeof value === "number") {
    if (Number.isInteger(value)) return String(value);
    return Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3);
  }
  if (Array.isArray(value)) return value.map(short).join(" ");
  if (typeof value === "string") return /^[a-z_]+$/.test(value) ? words(value) : value;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
