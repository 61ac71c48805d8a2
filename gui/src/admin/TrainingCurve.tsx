import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { learningRate, plural } from "../lib/format";
import { axis } from "../ui/axes";
import { Chart } from "../ui/Chart";
import type { Step } from "./jobLive";

/** Loss (left) and learning rate (right) over the steps. */
export function TrainingCurve({ steps }: { steps: Step[] }) {
  const data = useMemo<uPlot.AlignedData>(
    () => [
      steps.map((_, index) => index + 1),
      steps.map((step) => step.loss),
      steps.map((step) => step.learning_rate),
    ],
    [steps],
  );
  const last = steps.at(-1);
  return (
    <Chart
      label={`Loss and learning rate over ${plural(steps.length, "logged step")}; loss now ${last?.loss.toFixed(3)}`}
      data={data}
      options={options}
      height={180}
    />
  );
}

function options(colour: (name: string) => string): Omit<uPlot.Options, "width" | "height"> {
  return {
    scales: { x: { time: false }, lr: {} },
    axes: [
      axis(colour, { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }),
      axis(colour, { size: 52 }),
      axis(colour, { scale: "lr", side: 1, size: 64, grid: { show: false }, values: (_, ticks) => ticks.map(learningRate) }),
    ],
    series: [
      { label: "logged step" },
      { label: "loss", stroke: colour("accent"), width: 2, points: { show: false }, value: (_, value) => (value === null ? "–" : value.toFixed(3)) },
      { label: "learning rate", scale: "lr", stroke: colour("warn"), width: 1.5, dash: [4, 3], points: { show: false }, value: (_, value) => (value === null ? "–" : learningRate(value)) },
    ],
  };
}
