import { useState } from "preact/hooks";
import { WhyButton } from "../ui/WhyButton";
import { ledger, overview } from "./data";
import { previousChampion } from "./previous";
import { RollBackDialog } from "./RollBackDialog";

export function RollBackButton({ small = false }: { small?: boolean }) {
  const [open, setOpen] = useState(false);
  const entries = ledger.data.value;
  const now = overview.data.value?.champion.version_id ?? entries?.[0]?.to_version;
  const back = entries === null || now === undefined ? null : previousChampion(entries, now);
  const why = entries === null ? "The ledger is still loading." : back === null ? "Nothing else has served yet." : "";
  return (
    <>
      <WhyButton class={small ? "danger small" : "danger"} why={why} onClick={() => setOpen(true)}>
        Roll back
      </WhyButton>
      {open && back !== null && now !== undefined && (
        <RollBackDialog from={now} suggested={back} onClose={() => setOpen(false)} />
      )}
    </>
  );
}
