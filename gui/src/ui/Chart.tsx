import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { theme } from "../lib/theme";

interface Props {
  /** What the chart shows, for those who can't see it. */
  label: string;
  data: uPlot.AlignedData;
  /** Everything but the size; built anew when the theme changes, with the theme's colours by name. */
  options: (colour: (name: string) => string) => Omit<uPlot.Options, "width" | "height">;
  height?: number;
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** A uPlot chart as wide as its place. The library comes only when a chart is shown. */
export function Chart({ label, data, options, height = 220 }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(data);
  latest.current = data;
  const chosen = theme.value;

  useEffect(() => {
    const place = ref.current;
    if (place === null) return;
    let gone = false;
    let sized: ResizeObserver | null = null;
    const build = async () => {
      const [{ default: UPlot }] = await Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]);
      if (gone) return;
      plot.current?.destroy();
      plot.current = new UPlot({ ...options(colourOf(place)), width: place.clientWidth, height }, latest.current, place);
      sized ??= new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height }));
      sized.observe(place);
    };
    const rebuild = () => void build();
    rebuild();
    dark.addEventListener("change", rebuild);
    return () => {
      gone = true;
      sized?.disconnect();
      dark.removeEventListener("change", rebuild);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [chosen, height]);

  useEffect(() => plot.current?.setData(data), [data]);

  return <div ref={ref} class={`chart chart-${height}`} role="img" aria-label={label} />;
}

/** Custom properties hold light-dark() pairs; a canvas needs the one that applies. */
function colourOf(place: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    place.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
}
