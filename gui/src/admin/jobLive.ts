import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import * as api from "../api/client";
import { isAbort, message } from "../api/http";
import type { Job, JobEvent } from "../api/types";

/** A step of training as the trainer reports it. */
export interface Step {
  step: number;
  steps: number;
  loss: number;
  learning_rate: number;
  pairs_per_second: number;
  seconds_left: number;
}

/** How far reading pairs with the reranker's body is: most of a night on a machine without a GPU. */
export interface Reading {
  pairs_done: number;
  pairs: number;
  pairs_per_second: number;
  seconds_left: number;
}

export interface Live {
  job: Job | null;
  log: JobEvent[];
  steps: Step[];
  /** Null while the job does something else. */
  reading: Reading | null;
  error: string;
  /** The stream is open. */
  connected: boolean;
}

const kept = 400;

/** Follow a job: its state, log tail and training steps. Reconnects where it left off until the job has ended. */
export function useJob(id: number): Live {
  const live = useMemo(() => signal<Live>({ job: null, log: [], steps: [], reading: null, error: "", connected: false }), [id]);
  useEffect(() => {
    const control = new AbortController();
    const set = (part: Partial<Live>) => (live.value = { ...live.value, ...part });
    void follow(id, control.signal, set, () => live.value);
    return () => control.abort();
  }, [id]);
  return live.value;
}

async function follow(
  id: number,
  stop: AbortSignal,
  set: (part: Partial<Live>) => void,
  get: () => Live,
): Promise<void> {
  let after = 0;
  while (!stop.aborted) {
    try {
      set({ job: await api.job(id) });
      for await (const event of api.jobEvents(id, after, stop)) {
        if (event.event === "job") set({ job: event.data as Job, connected: true, error: "" });
        else if (event.event === "log") after = take(event.data as JobEvent, set, get);
        else if (event.event === "end") return set({ job: await api.job(id), connected: false });
      }
    } catch (error) {
      if (isAbort(error)) return;
      set({ error: message(error), connected: false });
    }
    if (ended(get().job)) return;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

function take(line: JobEvent, set: (part: Partial<Live>) => void, get: () => Live): number {
  const { log, steps } = get();
  const step = asStep(line.data);
  set({
    connected: true,
    error: "",
    log: [...log, line].slice(-kept),
    steps: step === null ? steps : [...steps, step],
    reading: asReading(line.data),
  });
  return line.id;
}

function asStep(data: Record<string, unknown>): Step | null {
  const number = numbers(data);
  const step = {
    step: number("step"),
    steps: number("steps"),
    loss: number("loss"),
    learning_rate: number("learning_rate"),
    pairs_per_second: number("pairs_per_second"),
    seconds_left: number("seconds_left"),
  };
  return Number.isNaN(step.step) || Number.isNaN(step.loss) ? null : step;
}

export function asReading(data: Record<string, unknown>): Reading | null {
  const number = numbers(data);
  const reading = {
    pairs_done: number("pairs_done"),
    pairs: number("pairs"),
    pairs_per_second: number("pairs_per_second"),
    seconds_left: number("seconds_left"),
  };
  return Object.values(reading).some(Number.isNaN) ? null : reading;
}

function numbers(data: Record<string, unknown>): (name: string) => number {
  return (name) => (typeof data[name] === "number" ? data[name] : Number.NaN);
}

export function ended(job: Job | null): boolean {
  return job !== null && (job.state === "succeeded" || job.state === "failed" || job.state === "cancelled");
}
