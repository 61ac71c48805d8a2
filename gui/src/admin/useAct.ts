import { useState } from "preact/hooks";
import { message } from "../api/http";
import { noticeRefusal } from "./session";

/** One act at a time, with its error in words. */
export function useAct(): { busy: boolean; error: string; act: (what: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const act = (what: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError("");
    what()
      .catch((problem: unknown) => {
        noticeRefusal(problem);
        setError(message(problem));
      })
      .finally(() => setBusy(false));
  };
  return { busy, error, act };
}
