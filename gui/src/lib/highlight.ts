import { languages } from "./languages";

/** A run of text with the token class it is painted in. */
export interface Span {
  text: string;
  kind: string;
}

/** highlight.js scopes → the seven kinds that the style sheet paints. */
const kinds: Record<string, string> = {
  comment: "comment", quote: "comment",
  keyword: "keyword", "selector-tag": "keyword", literal: "keyword", operator: "keyword", "template-tag": "keyword",
  string: "string", regexp: "string", char: "string", subst: "", "template-variable": "string", link: "string",
  number: "number", symbol: "number", bullet: "number",
  title: "title", section: "title", name: "title", function: "title", "selector-class": "title", "selector-id": "title",
  type: "type", class: "type", built_in: "type", "title.class": "type",
  attr: "attr", attribute: "attr", meta: "attr", property: "attr", variable: "", params: "",
};

/**
 * Lines of highlighted spans, or null when the language is unknown or the text is too long to be worth it.
 * highlight.js gives HTML; DOMPurify turns it into a detached fragment that is only read, so no markup reaches the page.
 */
export async function highlight(text: string, language: string): Promise<Span[][] | null> {
  const load = languages[language.toLowerCase()];
  if (load === undefined || text.length > 60_000) return null;
  const [core, grammar, purify] = await Promise.all([import("highlight.js/lib/core"), load(), import("dompurify")]);
  const hljs = core.default;
  if (hljs.getLanguage(language) === undefined) hljs.registerLanguage(language, grammar.default);
  const html = hljs.highlight(text, { language, ignoreIllegals: true }).value;
  const fragment = purify.default.sanitize(html, {
    ALLOWED_TAGS: ["span"],
    ALLOWED_ATTR: ["class"],
    RETURN_DOM_FRAGMENT: true,
  });
  const lines = toLines(fragment);
  const shown = lines.map((line) => line.map((span) => span.text).join("")).join("\n");
  return shown === text.replaceAll("\r", "") || shown === text ? lines : null;
}

function toLines(fragment: DocumentFragment): Span[][] {
  const lines: Span[][] = [[]];
  const walk = (node: Node, kind: string): void => {
    if (node.nodeType === Node.TEXT_NODE) {
      (node.textContent ?? "").split("\n").forEach((text, index) => {
        if (index > 0) lines.push([]);
        if (text !== "") lines.at(-1)?.push({ text, kind });
      });
      return;
    }
    const inner = node instanceof Element ? (kindOf(node.classList) ?? kind) : kind;
    node.childNodes.forEach((child) => walk(child, inner));
  };
  walk(fragment, "");
  return lines;
}

function kindOf(classes: DOMTokenList): string | undefined {
  const scope = [...classes].find((name) => name.startsWith("hljs-"))?.slice(5);
  if (scope === undefined) return undefined;
  if (scope === "title" && classes.contains("class_")) return "type";
  return kinds[scope];
}
