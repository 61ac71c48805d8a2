import { useEffect, useState } from "preact/hooks";
import * as api from "../api/client";
import { message } from "../api/http";
import type { VersionDetail } from "../api/types";
import { count, when } from "../lib/format";
import { IconButton } from "../ui/IconButton";
import { Loading } from "../ui/Loading";
import { Markdown } from "../ui/Markdown";
import { Notice } from "../ui/Notice";
import { VersionBadges } from "./badges";
import { EvidenceTables } from "./EvidenceTables";
import { GateSentence } from "./GateSentence";
import { PromoteButton } from "./PromoteButton";
import { recent } from "./data";
import { go } from "./route";

export function VersionPanel({ id }: { id: number }) {
  const [detail, setDetail] = useState<VersionDetail | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.version(id).then(setDetail, (problem: unknown) => setError(message(problem)));
  }, [id, recent.data.value]);
  return (
    <section class="panel stack" aria-label={`Version ${id}`}>
      <div class="row">
        <h2>Version {id}</h2>
        {detail !== null && <VersionBadges version={detail} />}
        <span class="grow" />
        {detail !== null && <PromoteButton version={detail} />}
        <IconButton icon="close" label="Close this version" onClick={() => go("versions")} />
      </div>
      {error !== "" && (
        <Notice tone="bad" urgent>
          {error}
        </Notice>
      )}
      {detail === null ? error === "" && <Loading what="the version" /> : <Body detail={detail} />}
    </section>
  );
}

function Body({ detail }: { detail: VersionDetail }) {
  const [card, setCard] = useState(false);
  const peak = detail.metrics["process_peak_memory_mb"];
  return (
    <>
      {(detail.decision !== null || detail.form === "first_stage") && <GateSentence version={detail} />}
      <dl class="facts">
        <Fact name="Name" value={detail.name} />
        <Fact name="Base" value={detail.base} />
        <Fact name="Trained from" value={detail.parent_id === null ? "–" : `version ${detail.parent_id}`} />
        <Fact name="Made" value={when(detail.created_at)} />
        <div>
          <dt>Data set</dt>
          <dd class="num">
            {detail.snapshot_hash === null ? "–" : <a href={`#data/pairs/${detail.snapshot_hash}`}>{detail.snapshot_hash.slice(0, 12)}</a>}
          </dd>
        </div>
        {typeof peak === "number" && <Fact name="Trainer's peak memory by then" value={`${count(peak)} MB`} />}
        <Fact
          name="Final score"
          value={`${weight(detail.blend.dense)} × dense + ${weight(detail.blend.lexical)} × lexical + ${weight(detail.blend.rerank)} × reranker`}
        />
      </dl>
      <EvidenceTables version={detail} />
      {detail.card !== null && (
        <div>
          <button type="button" class="button small" aria-expanded={card} onClick={() => setCard(!card)}>
            {card ? "Hide the model card" : "Model card"}
          </button>
          {card && (
            <div class="card-text">
              <Markdown text={detail.card.replace(/^---\n[\s\S]*?\n---\n/, "")} />
            </div>
          )}
        </div>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="wrap-anywhere num">{value}</dd>
    </div>
  );
}

function weight(value: number): string {
  return String(Number(value.toFixed(3)));
}
