import { useState } from "preact/hooks";
import * as api from "../api/client";
import type { Golden as Question } from "../api/types";
import { Notice } from "../ui/Notice";
import { Choice } from "./Choice";
import { golden } from "./data";
import { repoNames } from "./Filters";
import { tell } from "./flash";
import { Shown } from "./Shown";
import { useAct } from "./useAct";
import { useLoad } from "./useLoad";

/** The team's own questions with the places that must be found: they judge, and no version may lose them. */
export function Golden() {
  useLoad(golden);
  return (
    <>
      <p class="muted small">
        Questions of the team with the places that answer them. A night learns from four of five as from votes; the others guard every
        promotion. From 50 of those on a fall of more than 0.02 stops it; fewer only warn, so it takes about 250 questions.
      </p>
      <Add />
      <Shown source={golden} what="golden questions">
        {(list) =>
          list.length === 0 ? (
            <Notice>
              There are no golden questions yet. Many at once: <code>rankloop golden import FILE</code>.
            </Notice>
          ) : (
            <ul class="plain-list" aria-label="Golden questions">
              {list.map((each) => (
                <Row key={each.id} question={each} />
              ))}
            </ul>
          )
        }
      </Shown>
    </>
  );
}

function Add() {
  const [query, setQuery] = useState("");
  const [repo, setRepo] = useState("");
  const [places, setPlaces] = useState("");
  const { busy, error, act } = useAct();
  const expected = places.split("\n").flatMap((line) => line.trim() || []);
  const add = () =>
    act(async () => {
      await api.addGolden({ query: query.trim(), repo: repo || null, expected });
      await golden.load();
      tell("The golden question is added.");
      setQuery("");
      setPlaces("");
    });
  return (
    <form
      class="panel stack"
      aria-label="Add a golden question"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <div class="row end">
        <label class="field grow">
          <span>Question</span>
          <input
            class="input"
            required
            maxLength={LONGEST_QUESTION}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </label>
        <Choice name="Repository" value={repo} options={repoNames()} onChange={setRepo} />
      </div>
      <label class="field">
        <span>Files that answer it, one a line, as they stand below the repository's folder</span>
        <textarea
          class="input mono"
          required
          rows={2}
          placeholder="shop/cart.py"
          value={places}
          onInput={(event) => setPlaces(event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="submit" class="button primary" disabled={busy || query.trim() === "" || expected.length === 0}>
          {busy ? "Adding…" : "Add"}
        </button>
      </div>
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
    </form>
  );
}

function Row({ question }: { question: Question }) {
  const { busy, error, act } = useAct();
  const remove = () =>
    act(async () => {
      await api.removeGolden(question.id);
      await golden.load();
      tell("The golden question is removed.");
    });
  return (
    <li class="panel stack tight">
      <div class="row">
        <span class="grow wrap-anywhere">
          <b>{question.query}</b> {question.repo !== null && <span class="muted">in {question.repo}</span>}
        </span>
        <button type="button" class="button danger small" aria-label={`Remove ${question.query}`} disabled={busy} onClick={remove}>
          Remove
        </button>
      </div>
      <ul class="plain-list small mono">
        {question.expected.map((each) => (
          <li key={each} class="wrap-anywhere">
            {typeof each === "number" ? `chunk ${each}` : each}
          </li>
        ))}
      </ul>
      {question.warnings.map((text) => (
        <p key={text} class="bad small">
          Warning: {text}
        </p>
      ))}
      {error !== "" && (
        <p class="bad small" role="alert">
          {error}
        </p>
      )}
    </li>
  );
}
