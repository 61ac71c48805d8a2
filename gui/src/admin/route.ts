import { signal } from "@preact/signals";

export const pages = {
  overview: "Overview",
  versions: "Versions",
  deployments: "Deployments",
  jobs: "Jobs",
  data: "Data",
  index: "Index",
} as const;

export type Page = keyof typeof pages;

export interface Route {
  page: Page;
  rest: string[];
}

function parse(hash: string): Route {
  const [page = "", ...rest] = hash.replace(/^#/, "").split("/");
  return page in pages ? { page: page as Page, rest } : { page: "overview", rest: [] };
}

/** The address's #part: a page and what is open on it, so that links, reload and the back button work. */
export const route = signal(parse(location.hash));

window.addEventListener("hashchange", () => {
  route.value = parse(location.hash);
});

export function go(page: Page, ...rest: (string | number)[]): void {
  location.hash = [page, ...rest].join("/");
}
