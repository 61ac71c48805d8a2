import { Dialog } from "../ui/Dialog";
import { helpOpen } from "./state";

const keys: [string[], string][] = [
  [["/"], "Write a question"],
  [["Enter"], "Ask"],
  [["Shift", "Enter"], "New line"],
  [["Esc"], "Stop the answer, or leave the field"],
  [["j"], "Next source"],
  [["k"], "Previous source"],
  [["u"], "Thumb up for the source in focus, else for the answer; once more takes it back"],
  [["d"], "Thumb down, likewise"],
  [["1", "–", "5"], "Stars for the answer; the same number once more takes them back"],
  [["c"], "The right place was…"],
  [["?"], "This list"],
];

export function HelpDialog() {
  return (
    <Dialog title="Keyboard" onClose={() => (helpOpen.value = false)}>
      <dl class="keys">
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>{names.map((name) => (name === "–" ? "–" : <kbd key={name}>{name}</kbd>))}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
