import { useState } from "preact/hooks";
import * as api from "../api/client";
import type { Schedule as ScheduleView } from "../api/types";
import { dayNames, read, rhythms, write, type Day, type Plan, type Rhythm } from "../lib/cron";
import { ago } from "../lib/format";
import { Notice } from "../ui/Notice";
import { overview, schedule } from "./data";
import { tell } from "./flash";
import { Shown } from "./Shown";
import { useAct } from "./useAct";
import { useLoad } from "./useLoad";

export function Schedule() {
  useLoad(schedule);
  return (
    <section class="panel stack" aria-label="Schedule">
      <h2>Nightly schedule</h2>
      <Shown source={schedule} what="the schedule">
        {(data) => <Editor key={data.cron} data={data} />}
      </Shown>
    </section>
  );
}

function Editor({ data }: { data: ScheduleView }) {
  const [plan, setPlan] = useState<Plan>(read(data.cron));
  const { busy, error, act } = useAct();
  const change = (part: Partial<Plan>) => setPlan({ ...plan, ...part });
  const line = write(plan);
  const changed = write(read(data.cron)) !== line;
  const store = (form: { cron?: string; auto_promote?: boolean }, told: string) =>
    act(async () => {
      await api.saveSchedule(form);
      await Promise.all([schedule.load(), overview.load()]);
      tell(told);
    });
  return (
    <>
      <form
        class="row end"
        onSubmit={(event) => {
          event.preventDefault();
          store({ cron: line }, "Schedule saved.");
        }}
      >
        <label class="field">
          <span>Train</span>
          <select class="input" value={plan.rhythm} onChange={(event) => change({ rhythm: event.currentTarget.value as Rhythm })}>
            {Object.entries(rhythms).map(([key, name]) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {plan.rhythm === "weekly" && (
          <label class="field">
            <span>On</span>
            <select class="input" aria-label="Day of the week" value={plan.day} onChange={(event) => change({ day: event.currentTarget.value as Day })}>
              {Object.entries(dayNames).map(([key, name]) => (
                <option key={key} value={key}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        {plan.rhythm === "custom" ? (
          <label class="field">
            <span>Minute, hour, day, month, weekday</span>
            <input class="input mono" required maxLength={200} value={plan.line} onInput={(event) => change({ line: event.currentTarget.value })} />
          </label>
        ) : (
          <label class="field">
            <span>At</span>
            <input class="input" type="time" required value={plan.time} onInput={(event) => change({ time: event.currentTarget.value })} />
          </label>
        )}
        <button type="submit" class="button" disabled={busy || !changed}>
          Save schedule
        </button>
      </form>
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      <Next data={data} />
      <div class="row">
        <label class="check">
          <input
            type="checkbox"
            checked={data.auto_promote && !data.paused}
            disabled={busy}
            onChange={(event) => {
              const on = event.currentTarget.checked;
              store({ auto_promote: on }, on ? "Automatic promotion is on." : "Automatic promotion is off.");
            }}
          />
          <span>
            Promote on its own when the gate says so
            <span class="muted small"> (off: a person promotes on the Versions page)</span>
          </span>
        </label>
      </div>
      {data.paused && (
        <Notice tone="warn">
          Automatic promotion is paused because somebody rolled back.{" "}
          <button
            type="button"
            class="button small"
            disabled={busy}
            onClick={() => store({ auto_promote: true }, "Automatic promotion goes on.")}
          >
            Resume
          </button>
        </Notice>
      )}
    </>
  );
}

function Next({ data }: { data: ScheduleView }) {
  return (
    <div class="small">
      <span class="muted">Next three times ({isZone(data.timezone) ? data.timezone : "in your time zone"}):</span>
      <ol class="next" aria-label="Next three times">
        {data.next.map((at) => (
          <li key={at}>
            {inZone(at, data.timezone)} <span class="muted">({ago(at)})</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function inZone(iso: string, timeZone: string): string {
  const form: Intl.DateTimeFormatOptions = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(undefined, isZone(timeZone) ? { ...form, timeZone } : form).format(new Date(iso));
}

/** The server names its zone where it was told one; else its own is only known to it. */
function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
