/** Numbers with sensible digits and units, dates in the reader's own language. */

const integers = new Intl.NumberFormat();
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "always" });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function count(value: number): string {
  return integers.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A metric in [0, 1]: three digits, because the fourth is noise at a few hundred queries. */
export function metric(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : value.toFixed(3);
}

/** A difference with its sign; a real minus, so that columns line up. */
export function signed(value: number, digits = 3): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value < 0 ? `−${Math.abs(value).toFixed(3)}` : value.toFixed(3);
}

export function pValue(value: number): string {
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

export function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

export function seconds(value: number): string {
  if (value < 0.0995) return `${Math.round(value * 1000)} ms`;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 90) return `${Math.round(value)} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  const minutes = Math.round(value / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function learningRate(value: number): string {
  return value === 0 ? "0" : value.toExponential(1).replace("e-", "e−");
}

export function when(iso: string): string {
  return dateTime.format(new Date(iso));
}

const steps: [limit: number, divisor: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86_400 * 2, 3600, "hour"],
  [86_400 * 14, 86_400, "day"],
  [86_400 * 60, 86_400 * 7, "week"],
  [86_400 * 730, 86_400 * 30.4, "month"],
];

export function ago(iso: string, now = Date.now()): string {
  const past = (new Date(iso).getTime() - now) / 1000;
  if (Math.abs(past) < 45) return "just now";
  for (const [limit, divisor, unit] of steps) {
    if (Math.abs(past) < limit) return relative.format(Math.round(past / divisor), unit);
  }
  return relative.format(Math.round(past / (86_400 * 365)), "year");
}

export function lines(start: number, end: number): string {
  return start === end ? `${start}` : `${start}–${end}`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "hard_negative" → "hard negative". */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** People who are not signed in have long made-up names: their first six characters tell them apart. */
export function people(text: string): string {
  return text.replace(/\bvisitor-([0-9a-f]{6})[0-9a-f]{26}\b/g, "visitor $1");
}

/** Of something a second: digits only where there are few. */
export function pace(value: number): string {
  return value < 10 ? value.toFixed(1) : count(Math.round(value));
}
