import { Icon } from "../ui/Icon";
import { retrySaves, saves } from "./saves";

/** One line after each rating: what it does, or that it is not saved yet. */
export function SaveLine({ answer }: { answer: string }) {
  const save = saves.value[answer];
  if (save === undefined) return null;
  if (save.state === "waiting" || save.state === "refused") {
    return (
      <p class="save-line bad" role="alert">
        <Icon name="warn" small />
        <span>{save.detail}</span>
        {save.state === "waiting" && (
          <button type="button" class="button small" onClick={retrySaves}>
            Try now
          </button>
        )}
      </p>
    );
  }
  return (
    <p class="save-line">
      {save.state === "saved" ? <Icon name="check" small /> : <span class="spinner" />}
      <span>{save.detail}</span>
    </p>
  );
}
