import type { Overview } from "../api/types";
import { plural } from "../lib/format";

const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

const shown = 14;

/** The last two weeks up to the latest day, with the days on which nothing happened. */
function lastDays(known: Overview["days"]): Overview["days"] {
  const end = new Date(`${known.at(-1)?.day}T12:00:00Z`).getTime();
  return Array.from({ length: shown }, (_, index) => {
    const iso = new Date(end - (shown - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return known.find((each) => each.day === iso) ?? { day: iso, ratings: 0, answers: 0 };
  });
}

/** Ratings a day as bars, drawn as SVG: attributes only, so no style needs allowing. */
export function RatingDays({ days: known }: { days: Overview["days"] }) {
  if (known.length === 0) return <p class="muted">No ratings yet. They arrive from the thumbs under each answer.</p>;
  const days = lastDays(known);
  const top = Math.max(1, ...days.map((each) => Math.max(each.ratings, each.answers)));
  const step = 100 / days.length;
  const total = days.reduce((sum, each) => sum + each.ratings, 0);
  const first = days[0]?.day ?? "";
  const last = days.at(-1)?.day ?? "";
  return (
    <figure class="days">
      <svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label={`${plural(total, "rating")} in ${days.length} days, at most ${top} a day`}>
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
          <i class="swatch bar" /> ratings <i class="swatch bar-back" /> answers · full height: {top}
        </span>
        <span>{named(last)}</span>
      </figcaption>
    </figure>
  );
}

function named(iso: string): string {
  return day.format(new Date(`${iso}T12:00:00`));
}
