import { useState } from "preact/hooks";
import * as api from "../api/client";
import type { Burst } from "../api/types";
import { people, plural, when } from "../lib/format";
import { heldBack } from "./data";
import { useAct } from "./useAct";
import { useLoad } from "./useLoad";

const said = { released: "Released", left_out: "Left out", held: "Held back" } as const;

/** Ratings that came too fast to be meant: they train nothing until somebody releases them. */
export function HeldBack() {
  useLoad(heldBack);
  const known = heldBack.data.value;
  if (known === null || known.bursts.length === 0) return null;
  return (
    <section class="panel stack" aria-label="Held back">
      <p class="muted small">
        More than {plural(known.signals, "rating")} of one person within {plural(known.minutes, "minute")} are held back: they make no
        judgment until somebody releases them.
      </p>
      <ul class="plain-list stack">
        {known.bursts.map((burst) => (
          <Row key={`${burst.account} ${burst.first_signal} ${burst.last_signal}`} burst={burst} />
        ))}
      </ul>
    </section>
  );
}

function Row({ burst }: { burst: Burst }) {
  const [reason, setReason] = useState("");
  const { busy, error, act } = useAct();
  const { account, first_signal, last_signal } = burst;
  const name = account.startsWith("client ") ? `visitors at ${account.slice(7)}` : people(account);
  const decide = (action: "release" | "leave_out") =>
    act(async () => {
      heldBack.data.value = await api.decideBurst({ account, first_signal, last_signal, action, reason: reason.trim() });
      setReason("");
    });
  return (
    <li class="stack">
      <p class="wrap-anywhere">
        <b>{said[burst.fate]}:</b> {name}, {plural(burst.signals, "rating")} within {span(burst)}, {when(burst.began)}
        {burst.decided_by !== null && (
          <span class="muted">
            {" "}
            · by {people(burst.decided_by)}
            {burst.decided_at !== null && `, ${when(burst.decided_at)}`}
            {burst.reason !== "" && `: ${burst.reason}`}
          </span>
        )}
      </p>
      <div class="row">
        <input
          class="input grow"
          aria-label={`Why, about ${name}`}
          placeholder="Why (optional)"
          maxLength={4000}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        {burst.fate !== "released" && (
          <button type="button" class="button small" disabled={busy} onClick={() => decide("release")}>
            Release
          </button>
        )}
        {burst.fate !== "left_out" && (
          <button type="button" class="button danger small" disabled={busy} onClick={() => decide("leave_out")}>
            Leave out
          </button>
        )}
      </div>
      {error !== "" && (
        <p class="bad small" role="alert">
          {error}
        </p>
      )}
    </li>
  );
}

function span(burst: Burst): string {
  const seconds = (Date.parse(burst.ended) - Date.parse(burst.began)) / 1000;
  return seconds < 90 ? plural(Math.max(1, Math.round(seconds)), "second") : plural(Math.round(seconds / 60), "minute");
}
