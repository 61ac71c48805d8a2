import type uPlot from "uplot";

/** Axes in the page's own colours. */
export function axis(colour: (name: string) => string, extra: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    stroke: colour("muted"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    ...extra,
  };
}
