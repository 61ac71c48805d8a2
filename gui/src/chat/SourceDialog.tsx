import type { Source } from "../api/types";
import { CodeBlock } from "../ui/CodeBlock";
import { CopyButton } from "../ui/CopyButton";
import { Dialog } from "../ui/Dialog";
import { noticed } from "./rating";
import { Scores } from "./Scores";
import type { Turn } from "./turn";
import { named, repoOf, Where } from "./Where";

/** A source at full size. */
export function SourceDialog({ turn, source, onClose }: { turn: Turn; source: Source; onClose: () => void }) {
  const about = [repoOf(source, turn), source.symbol].filter((each) => each !== "").join(" · ");
  return (
    <Dialog title={`Source ${source.n}`} wide onClose={onClose}>
      <div class="row">
        <div class="source-named wrap-anywhere">
          <Where spot={source} turn={turn} bare />
          {about !== "" && <div class="muted small">{about}</div>}
        </div>
        <CopyButton text={`${source.path}:${source.start_line}`} label="Copy path and line" shown="Path" />
        <CopyButton
          text={source.text}
          label="Copy code"
          shown="Code"
          onCopied={() => noticed(turn, "copy", source.chunk_id)}
        />
      </div>
      <div class="framed">
        <CodeBlock
          text={source.text}
          language={source.language}
          firstLine={source.start_line}
          marks={source.matching_lines}
          label={`Code of ${named(source, turn)}`}
        />
      </div>
      <Scores source={source} />
    </Dialog>
  );
}
