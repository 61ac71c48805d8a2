import { useEffect } from "preact/hooks";
import type { Fetched } from "../lib/signals";

/** Load when shown, and again every so many seconds while the page is in sight. */
export function useLoad<T>(source: Fetched<T>, every = 0): void {
  useEffect(() => {
    void source.load();
    if (every === 0) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void source.load();
    }, every * 1000);
    return () => clearInterval(timer);
  }, [source, every]);
}
