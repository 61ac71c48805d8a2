import { useEffect, useMemo, useState } from "preact/hooks";
import { highlight, type Span } from "../lib/highlight";

interface Props {
  text: string;
  language: string;
  firstLine: number;
  /** Line numbers of the file that are marked, best first. */
  marks?: number[];
  /** Show only so many lines around the best marked one; 0 shows all. */
  limit?: number;
  label: string;
}

const none: number[] = [];

/** Code with line numbers, highlighted when its language is known and plain until then. Always text, never markup. */
export function CodeBlock({ text, language, firstLine, marks = none, limit = 0, label }: Props) {
  const plain = useMemo(() => text.split("\n").map((line): Span[] => [{ text: line, kind: "" }]), [text]);
  const [painted, setPainted] = useState<Span[][] | null>(null);
  useEffect(() => {
    let current = true;
    setPainted(null);
    highlight(text, language).then(
      (lines) => current && setPainted(lines),
      () => current && setPainted(null),
    );
    return () => {
      current = false;
    };
  }, [text, language]);

  const all = painted ?? plain;
  const [from, to] = view(all.length, (marks[0] ?? firstLine) - firstLine, limit);
  return (
    <div class="code" role="region" aria-label={label} tabIndex={0}>
      <div class="code-lines">
        {all.slice(from, to).map((spans, offset) => {
          const index = from + offset;
          return (
            <div key={index} class={marks.includes(firstLine + index) ? "code-line marked" : "code-line"}>
              <span class="code-no" aria-hidden="true">
                {firstLine + index}
              </span>
              <span class="code-text">
                {spans.map((span) => (span.kind === "" ? span.text : <span class={`tok-${span.kind}`}>{span.text}</span>))}
                {"\n"}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The window of lines to show: all, or `limit` lines that hold the best one. */
function view(total: number, best: number, limit: number): [number, number] {
  if (limit === 0 || total <= limit) return [0, total];
  const from = best < limit ? 0 : Math.min(best - 2, total - limit);
  return [from, from + limit];
}
