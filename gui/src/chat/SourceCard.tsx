import { useState } from "preact/hooks";
import type { Source } from "../api/types";
import { CodeBlock } from "../ui/CodeBlock";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { focused, sourceId } from "./focus";
import { mayRate } from "./me";
import { chunkVote, noticed } from "./rating";
import { Scores } from "./Scores";
import { SourceDialog } from "./SourceDialog";
import type { Turn } from "./turn";
import { named, repoOf, Where } from "./Where";

/** Longer code is cut to `preview` lines; a cut that would hide a line or two is not worth a click. */
const preview = 10;
const uncut = 14;

interface Props {
  turn: Turn;
  source: Source;
  cited: boolean;
}

/** A source: where it is, its code, and whether it was the right one. */
export function SourceCard({ turn, source, cited }: Props) {
  const isFocused = focused.value === `${turn.key}:${source.n}`;
  const [toggled, setToggled] = useState<boolean | null>(null);
  const [whole, setWhole] = useState(false);
  const [detail, setDetail] = useState(false);
  const [dialog, setDialog] = useState(false);
  const open = toggled ?? (cited || isFocused);
  const place = named(source, turn);
  const about = [repoOf(source, turn), source.symbol].filter((each) => each !== "").join(" · ");
  const total = source.text.split("\n").length;
  const enter = () => {
    setDialog(true);
    noticed(turn, "open", source.chunk_id);
  };
  return (
    <li>
      <article
        id={sourceId(turn, source.n)}
        class={isFocused ? "source focused" : "source"}
        tabIndex={-1}
        data-chunk={source.chunk_id}
        aria-label={`Source ${source.n}: ${place}`}
      >
        <header class="source-head">
          <button
            type="button"
            class="source-toggle"
            aria-expanded={open}
            onClick={() => {
              setToggled(!open);
              if (!open) noticed(turn, "click", source.chunk_id);
            }}
          >
            <span class={cited ? "source-n cited" : "source-n"}>{source.n}</span>
            <span class="source-place">
              <span class="source-path">
                <Where spot={source} turn={turn} bare />
              </span>
              {about !== "" && <span class="source-symbol">{about}</span>}
            </span>
            <Icon name={open ? "down_small" : "right_small"} small />
          </button>
          <VoteButtons turn={turn} source={source} />
        </header>
        {open && (
          <>
            <CodeBlock
              text={source.text}
              language={source.language}
              firstLine={source.start_line}
              marks={source.matching_lines}
              limit={whole || total <= uncut ? 0 : preview}
              label={`Code of source ${source.n}`}
            />
            <footer class="source-foot">
              {total > uncut && (
                <button type="button" class="button quiet small" aria-expanded={whole} onClick={() => setWhole(!whole)}>
                  {whole ? "Show less" : `Show all ${total} lines`}
                </button>
              )}
              <button type="button" class="button quiet small" aria-expanded={detail} onClick={() => setDetail(!detail)}>
                Why here?
              </button>
              <span class="grow" />
              <CopyButton
                text={source.text}
                label={`Copy code of source ${source.n}`}
                onCopied={() => noticed(turn, "copy", source.chunk_id)}
              />
              <IconButton small icon="open" label={`Open source ${source.n}`} onClick={enter} />
            </footer>
            {detail && <Scores source={source} />}
          </>
        )}
        {dialog && <SourceDialog turn={turn} source={source} onClose={() => setDialog(false)} />}
      </article>
    </li>
  );
}

function VoteButtons({ turn, source }: { turn: Turn; source: Source }) {
  const vote = turn.rating.value.chunks[source.chunk_id];
  if (turn.answerId.value === null) return null;
  return (
    <div class="votes" role="group" aria-label={`Was source ${source.n} right?`}>
      <IconButton
        small
        icon="up"
        class="up"
        label={`Source ${source.n} is right`}
        filled={vote === true}
        aria-pressed={vote === true}
        disabled={!mayRate.value}
        onClick={() => chunkVote(turn, source.chunk_id, true)}
      />
      <IconButton
        small
        icon="down"
        class="down"
        label={`Source ${source.n} is not right`}
        filled={vote === false}
        aria-pressed={vote === false}
        disabled={!mayRate.value}
        onClick={() => chunkVote(turn, source.chunk_id, false)}
      />
    </div>
  );
}
