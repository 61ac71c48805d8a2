import { useEffect, useId, useState } from "preact/hooks";
import * as api from "../api/client";
import { isAbort, message } from "../api/http";
import type { Result } from "../api/types";
import { plural } from "../lib/format";
import { CodeBlock } from "../ui/CodeBlock";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { correcting, rememberPlace } from "./correcting";
import { correction } from "./rating";
import type { Turn } from "./turn";
import { named, repoOf, Where } from "./Where";

/** "The right place was…": find the chunk, name it, done. */
export function CorrectionDialog({ turn }: { turn: Turn }) {
  const id = useId();
  const [text, setText] = useState(turn.question);
  const found = useLookUp(text, turn.repo);
  const close = () => (correcting.value = null);
  const pick = (result: Result) => {
    rememberPlace(result);
    correction(turn, result.chunk_id);
    close();
  };
  return (
    <Dialog title="The right place was…" wide onClose={close}>
      <div class="field">
        <label for={id}>Search for a file, a symbol or what the code does</label>
        <input
          id={id}
          type="text"
          role="searchbox"
          class="input"
          value={text}
          maxLength={2000}
          autocomplete="off"
          autofocus
          onInput={(event) => setText(event.currentTarget.value)}
          onFocus={(event) => event.currentTarget.select()}
        />
      </div>
      <p class="muted small" role="status">
        {found.state === "searching" ? "Searching…" : found.state === "found" ? summary(found.results.length) : ""}
      </p>
      {found.state === "failed" && (
        <Notice tone="bad" urgent>
          {found.error}
        </Notice>
      )}
      <ul class="lookup" aria-label="Places found">
        {found.results.map((result) => (
          <Found key={result.chunk_id} result={result} turn={turn} onPick={() => pick(result)} />
        ))}
      </ul>
    </Dialog>
  );
}

function summary(found: number): string {
  return found === 0 ? "Nothing found. Try the file's name or another word." : plural(found, "place");
}

function Found({ result, turn, onPick }: { result: Result; turn: Turn; onPick: () => void }) {
  const place = named(result, turn);
  const shown = turn.sources.value.find((source) => source.chunk_id === result.chunk_id);
  const about = [repoOf(result, turn), result.symbol, shown === undefined ? "" : `was source ${shown.n}`];
  return (
    <li class="source">
      <div class="lookup-head">
        <div class="grow">
          <Where spot={result} turn={turn} bare />
          <div class="muted small wrap-anywhere">{about.filter((each) => each !== "").join(" · ")}</div>
        </div>
        <button type="button" class="button small primary" aria-label={`Choose ${place}`} onClick={onPick}>
          This one
        </button>
      </div>
      <CodeBlock
        text={result.text}
        language={result.language}
        firstLine={result.start_line}
        marks={result.matching_lines}
        limit={5}
        label={`Code of ${place}`}
      />
    </li>
  );
}

interface LookUp {
  state: "idle" | "searching" | "found" | "failed";
  results: Result[];
  error: string;
}

function useLookUp(text: string, repo: string | null): LookUp {
  const [found, setFound] = useState<LookUp>({ state: "idle", results: [], error: "" });
  useEffect(() => {
    const query = text.trim();
    if (query === "") {
      setFound({ state: "idle", results: [], error: "" });
      return;
    }
    setFound((before) => ({ ...before, state: "searching" }));
    const control = new AbortController();
    const timer = setTimeout(() => {
      api.lookUp({ query, repo, top_k: 12, rerank: true }, control.signal).then(
        (answer) => setFound({ state: "found", results: answer.results, error: "" }),
        (error: unknown) => {
          if (!isAbort(error)) setFound({ state: "failed", results: [], error: message(error) });
        },
      );
    }, 250);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [text, repo]);
  return found;
}
