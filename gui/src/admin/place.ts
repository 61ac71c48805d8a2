import { lines } from "../lib/format";

interface Where {
  content_hash: string;
  repo: string | null;
  path: string | null;
  start_line: number | null;
  end_line: number | null;
}

/** "shop/cart.py:10–24 in shop", or what is left of a text that is no longer in the code. */
export function place(where: Where): string {
  if (where.path === null) return `text ${where.content_hash.slice(0, 10)}`;
  const span = where.start_line === null || where.end_line === null ? "" : `:${lines(where.start_line, where.end_line)}`;
  return `${where.path}${span}${where.repo === null ? "" : ` in ${where.repo}`}`;
}

const endings: Record<string, string> = { py: "python", js: "javascript", mjs: "javascript", rs: "rust", rb: "ruby", sh: "bash", yml: "yaml", md: "markdown", cs: "csharp", h: "c", cc: "cpp", hpp: "cpp", htm: "html" };

/** The highlighter's name for a path's language. */
export function languageOf(path: string | null): string {
  const ending = path?.split(".").at(-1)?.toLowerCase() ?? "";
  return endings[ending] ?? ending;
}
