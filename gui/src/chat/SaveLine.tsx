import { Icon } from "../ui/Icon";
import { recorded, retrySaves, saves } from "./saves";

interface Props {
  answer: string;
  /** By a language model: what is rated is the search before it. */
  written: boolean;
}

/** One line after each rating: what it does, or that it is not saved yet. */
export function SaveLine({ answer, written }: Props) {
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
      <span>
        {save.detail}
        {written && save.detail === recorded && " It changes only which code is found, not the language model."}
      </span>
    </p>
  );
}
