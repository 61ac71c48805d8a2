import type { LanguageFn } from "highlight.js";

type Loader = () => Promise<{ default: LanguageFn }>;

const javascript: Loader = () => import("highlight.js/lib/languages/javascript");
const typescript: Loader = () => import("highlight.js/lib/languages/typescript");
const xml: Loader = () => import("highlight.js/lib/languages/xml");

/** The languages that the indexer knows, each fetched when a chunk in it is first shown. */
export const languages: Record<string, Loader> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  c_sharp: () => import("highlight.js/lib/languages/csharp"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  go: () => import("highlight.js/lib/languages/go"),
  html: xml,
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript,
  json: () => import("highlight.js/lib/languages/json"),
  jsx: javascript,
  markdown: () => import("highlight.js/lib/languages/markdown"),
  php: () => import("highlight.js/lib/languages/php"),
  python: () => import("highlight.js/lib/languages/python"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  sh: () => import("highlight.js/lib/languages/bash"),
  sql: () => import("highlight.js/lib/languages/sql"),
  toml: () => import("highlight.js/lib/languages/ini"),
  ts: typescript,
  tsx: typescript,
  typescript,
  xml,
  yaml: () => import("highlight.js/lib/languages/yaml"),
};
