import { Dialog } from "../ui/Dialog";
import { helpOpen } from "./state";

const keys: [string[], string][] = [
  [["/"], "Write a question"],
  [["Enter"], "Ask"],
  [["Shift", "Enter"], "New line"],
  [["Esc"], "Stop the answer, leave the field"],
  [["j"], "Next source"],
  [["k"], "Source before"],
  [["u"], "Thumb up: the source in focus, else the answer"],
  [["d"], "Thumb down: the source in focus, else the answer"],
  [["1", "–", "5"], "Stars for the answer"],
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
