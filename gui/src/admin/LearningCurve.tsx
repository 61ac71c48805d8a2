import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { CurvePoint } from "../api/types";
import { metric, plural, when } from "../lib/format";
import { axis, timeAxis } from "../ui/axes";
import { Chart } from "../ui/Chart";

/** Held-out ndcg@10 of each champion over time with its interval, beside no reranking and the base. */
export function LearningCurve({ points }: { points: CurvePoint[] }) {
  const known = points.filter((point) => point.ndcg !== null);
  const data = useMemo<uPlot.AlignedData>(
    () => [
      known.map((point) => new Date(point.at).getTime() / 1000),
      known.map((point) => point.high),
      known.map((point) => point.low),
      known.map((point) => point.no_rerank),
      known.map((point) => point.base),
      known.map((point) => point.ndcg),
    ],
    [points],
  );
  if (known.length === 0) {
    return (
      <p class="muted">
        No champion has been measured on held-out questions yet. The curve starts with the first trained version that serves.
      </p>
    );
  }
  const last = known.at(-1);
  const label = `Held-out ndcg@10 of ${plural(known.length, "champion")}; the latest reaches ${metric(last?.ndcg)}`;
  return <Chart label={label} data={data} options={options} />;
}

function options(colour: (name: string) => string): Omit<uPlot.Options, "width" | "height"> {
  const none = { width: 0, points: { show: false } };
  return {
    legend: { live: true },
    cursor: { points: { size: 7 } },
    scales: { x: { time: true } },
    axes: [timeAxis(colour), axis(colour, { size: 52, values: (_, ticks) => ticks.map((tick) => tick.toFixed(2)) })],
    bands: [{ series: [1, 2], fill: colour("accent-soft") }],
    series: [
      { label: "Time", value: (_, seconds: number | null) => (seconds === null ? "–" : when(new Date(seconds * 1000).toISOString())) },
      { label: "95 % high", ...none, stroke: colour("accent-soft"), value: number },
      { label: "95 % low", ...none, stroke: colour("accent-soft"), value: number },
      { label: "no reranking", stroke: colour("muted"), width: 1.5, dash: [4, 4], value: number },
      { label: "base", stroke: colour("warn"), width: 1.5, dash: [2, 3], value: number },
      { label: "champion", stroke: colour("accent"), width: 2, points: { show: true, size: 7, fill: colour("accent") }, value: number },
    ],
  };
}

function number(_: uPlot, value: number | null): string {
  return metric(value);
}
