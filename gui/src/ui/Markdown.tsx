import { marked, type Token, type Tokens } from "marked";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";

interface Props {
  text: string;
  /** Makes the control for a citation [n]; without it, [n] stays text. */
  cite?: ((n: number, key: string) => ComponentChildren) | undefined;
}

type Cite = Props["cite"];

/**
 * Markdown as elements, made from the parser's tokens and never from an HTML string: whatever a chunk or a language model
 * writes, raw HTML in it is shown as text. Elements keep their identity while an answer streams in.
 */
export function Markdown({ text, cite }: Props) {
  const tokens = useMemo(() => marked.lexer(text, { gfm: true }), [text]);
  return <div class="markdown">{tokens.map((token, index) => block(token, `${index}`, cite))}</div>;
}

function blocks(tokens: Token[] | undefined, key: string, cite: Cite): ComponentChildren {
  return (tokens ?? []).map((token, index) => block(token, `${key}.${index}`, cite));
}

function block(token: Token, key: string, cite: Cite): ComponentChildren {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "paragraph":
      return <p key={key}>{inlines(token.tokens, key, cite)}</p>;
    case "heading":
      return (
        <p key={key} class={`heading heading-${(token as Tokens.Heading).depth}`}>
          {inlines(token.tokens, key, cite)}
        </p>
      );
    case "code":
      return (
        <pre key={key} tabIndex={0}>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote key={key}>{blocks(token.tokens, key, cite)}</blockquote>;
    case "hr":
      return <hr key={key} />;
    case "list":
      return list(token as Tokens.List, key, cite);
    case "table":
      return table(token as Tokens.Table, key, cite);
    case "text":
      return token.tokens === undefined ? cited(token.raw, key, cite) : inlines(token.tokens, key, cite);
    default:
      return <p key={key}>{token.raw}</p>;
  }
}

function list(token: Tokens.List, key: string, cite: Cite): ComponentChildren {
  const items = token.items.map((item, index) => <li key={index}>{blocks(item.tokens, `${key}.${index}`, cite)}</li>);
  if (token.ordered) {
    return (
      <ol key={key} start={token.start === "" ? 1 : token.start}>
        {items}
      </ol>
    );
  }
  return <ul key={key}>{items}</ul>;
}

function table(token: Tokens.Table, key: string, cite: Cite): ComponentChildren {
  return (
    <div key={key} class="table-scroll" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {token.header.map((cell, column) => (
              <th key={column}>{inlines(cell.tokens, `${key}.h${column}`, cite)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, line) => (
            <tr key={line}>
              {row.map((cell, column) => (
                <td key={column}>{inlines(cell.tokens, `${key}.${line}.${column}`, cite)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inlines(tokens: Token[] | undefined, key: string, cite: Cite): ComponentChildren {
  return (tokens ?? []).map((token, index) => inline(token, `${key}.${index}`, cite));
}

function inline(token: Token, key: string, cite: Cite): ComponentChildren {
  switch (token.type) {
    case "strong":
      return <strong key={key}>{inlines(token.tokens, key, cite)}</strong>;
    case "em":
      return <em key={key}>{inlines(token.tokens, key, cite)}</em>;
    case "del":
      return <del key={key}>{inlines(token.tokens, key, cite)}</del>;
    case "codespan":
      return <code key={key}>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br key={key} />;
    case "escape":
      return (token as Tokens.Escape).text;
    case "link":
      return link(token as Tokens.Link, key, cite);
    case "text":
      return token.tokens === undefined ? cited(token.raw, key, cite) : inlines(token.tokens, key, cite);
    default:
      // Images and raw HTML too: an answer is text about code, so they are shown as they were written.
      return token.raw;
  }
}

function link(token: Tokens.Link, key: string, cite: Cite): ComponentChildren {
  // "[1]: …" somewhere in a text makes every [1] a link for the parser; here it stays a citation.
  if (/^\[\d{1,3}\]$/.test(token.raw)) return cited(token.raw, key, cite);
  if (!/^https?:\/\//i.test(token.href)) return token.raw;
  return (
    <a key={key} href={token.href} target="_blank" rel="noopener noreferrer">
      {inlines(token.tokens, key, cite)}
    </a>
  );
}

function cited(text: string, key: string, cite: Cite): ComponentChildren {
  if (cite === undefined) return text;
  // What closes a sentence or a bracket stays beside its citation instead of beginning a line.
  return text.split(/(\[\d{1,3}\][.,;:!?)]*)/).map((piece, index) => {
    const [, n, end] = /^\[(\d{1,3})\]([.,;:!?)]*)$/.exec(piece) ?? [];
    if (n === undefined) return piece;
    return (
      <span key={`${key}.${index}`} class="nowrap">
        {cite(Number(n), `${key}.${index}`)}
        {end}
      </span>
    );
  });
}
