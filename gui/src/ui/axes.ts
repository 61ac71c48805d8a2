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

const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const month = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric" });

/** An axis of time, written as everywhere else on the pages. Ticks are in seconds, `step` is what lies between two. */
export function timeAxis(colour: (name: string) => string): uPlot.Axis {
  return axis(colour, { values: (_, ticks, __, ___, step) => ticks.map((tick, at) => moment(tick, step, at === 0)) });
}

function moment(tick: number, step: number, first: boolean): string {
  const time = new Date(tick * 1000);
  if (step >= 27 * 86_400) return month.format(time);
  if (step >= 86_400) return day.format(time);
  const midnight = time.getHours() === 0 && time.getMinutes() === 0;
  return first || midnight ? `${hour.format(time)}\n${day.format(time)}` : hour.format(time);
}
