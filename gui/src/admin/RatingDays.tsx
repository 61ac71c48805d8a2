import type { Overview } from "../api/types";
import { plural } from "../lib/format";

const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

/** Ratings a day as bars, drawn as SVG: attributes only, so no style needs allowing. */
export function RatingDays({ days }: { days: Overview["days"] }) {
  if (days.length === 0) return <p class="muted">No ratings yet. They arrive from the thumbs under each answer.</p>;
  const top = Math.max(1, ...days.map((each) => Math.max(each.ratings, each.answers)));
  const step = 100 / days.length;
  const total = days.reduce((sum, each) => sum + each.ratings, 0);
  const first = days[0]?.day ?? "";
  const last = days.at(-1)?.day ?? "";
  return (
    <figure class="days">
      <svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label={`${plural(total, "rating")} in ${days.length} days`}>
        {days.map((each, index) => (
          <g key={each.day}>
            <title>{`${named(each.day)}: ${plural(each.ratings, "rating")}, ${plural(each.answers, "answer")}`}</title>
            <rect class="bar-back" x={index * step + step * 0.12} width={step * 0.76} y={40 - (40 * each.answers) / top} height={(40 * each.answers) / top} />
            <rect class="bar" x={index * step + step * 0.12} width={step * 0.76} y={40 - (40 * each.ratings) / top} height={(40 * each.ratings) / top} />
          </g>
        ))}
      </svg>
      <figcaption>
        <span>{named(first)}</span>
        <span class="legend">
          <i class="swatch bar" /> ratings <i class="swatch bar-back" /> answers
        </span>
        <span>{named(last)}</span>
      </figcaption>
    </figure>
  );
}

function named(iso: string): string {
  return day.format(new Date(`${iso}T12:00:00`));
}
