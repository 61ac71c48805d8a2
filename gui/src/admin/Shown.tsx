import type { ComponentChildren } from "preact";
import type { Fetched } from "../lib/signals";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";

interface Props<T> {
  source: Fetched<T>;
  what: string;
  children: (data: T) => ComponentChildren;
}

/** Loading, failed, or there. A failed refresh keeps what is known on screen and says so. */
export function Shown<T>({ source, what, children }: Props<T>) {
  const data = source.data.value;
  const error = source.error.value;
  return (
    <>
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}{" "}
          <button type="button" class="button small" onClick={() => void source.load()}>
            Try again
          </button>
        </Notice>
      )}
      {data !== null ? children(data) : error === "" ? <Loading what={what} /> : null}
    </>
  );
}
