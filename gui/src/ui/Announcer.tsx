import { announcement } from "../lib/announce";

/** The page's one polite live region, for things that are seen but would not be heard. */
export function Announcer() {
  return (
    <div class="sr-only" aria-live="polite" role="status">
      {announcement.value}
    </div>
  );
}
