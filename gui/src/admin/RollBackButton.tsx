import { useState } from "preact/hooks";
import { WhyButton } from "../ui/WhyButton";
import { overview } from "./data";
import { RollBackDialog } from "./RollBackDialog";

export function RollBackButton({ small = false }: { small?: boolean }) {
  const [open, setOpen] = useState(false);
  const seen = overview.data.value;
  const back = seen?.rollback_to ?? null;
  const why = seen === null ? "The overview is still loading." : back === null ? "Nothing has served before this version." : "";
  return (
    <>
      <WhyButton class={small ? "danger small" : "danger"} why={why} onClick={() => setOpen(true)}>
        Roll back
      </WhyButton>
      {open && seen !== null && back !== null && (
        <RollBackDialog
          from={seen.champion.version_id}
          suggested={back}
          choices={seen.rollback_choices}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  );
}
