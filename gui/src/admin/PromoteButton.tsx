import { useState } from "preact/hooks";
import type { Version } from "../api/types";
import { WhyButton } from "../ui/WhyButton";
import { overview } from "./data";
import { PromoteDialog } from "./PromoteDialog";

export function PromoteButton({ version }: { version: Version }) {
  const [open, setOpen] = useState(false);
  const champion = overview.data.value?.champion.version_id;
  const why = version.champion
    ? "It serves already."
    : champion === undefined
      ? "It is not known yet which version serves."
      : "";
  return (
    <>
      <WhyButton class="small" why={why} label={`Promote version ${version.id}`} onClick={() => setOpen(true)}>
        Promote
      </WhyButton>
      {open && champion !== undefined && <PromoteDialog version={version} champion={champion} onClose={() => setOpen(false)} />}
    </>
  );
}
