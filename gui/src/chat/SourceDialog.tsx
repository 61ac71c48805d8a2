import type { Source } from "../api/types";
import { lines } from "../lib/format";
import { CodeBlock } from "../ui/CodeBlock";
import { CopyButton } from "../ui/CopyButton";
import { Dialog } from "../ui/Dialog";
import { noticed } from "./rating";
import { Scores } from "./Scores";
import type { Turn } from "./turn";

/** A source at full size. */
export function SourceDialog({ turn, source, onClose }: { turn: Turn; source: Source; onClose: () => void }) {
  const place = `${source.path}:${lines(source.start_line, source.end_line)}`;
  return (
    <Dialog title={`Source ${source.n}`} wide onClose={onClose}>
      <div class="row">
        <div class="grow wrap-anywhere">
          <span class="mono">{place}</span>
          <span class="muted small">
            {" "}
            {source.symbol} · {source.repo}
          </span>
        </div>
        <CopyButton text={`${source.path}:${source.start_line}`} label="Copy path and line" />
        <CopyButton
          text={source.text}
          label="Copy code"
          onCopied={() => noticed(turn, "copy", source.chunk_id)}
        />
      </div>
      <div class="framed">
        <CodeBlock
          text={source.text}
          language={source.language}
          firstLine={source.start_line}
          marks={source.matching_lines}
          label={`Code of ${place}`}
        />
      </div>
      <Scores source={source} />
    </Dialog>
  );
}
