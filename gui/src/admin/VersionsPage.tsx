import { useEffect, useState } from "preact/hooks";
import * as api from "../api/client";
import { message } from "../api/http";
import type { Version, VersionPage } from "../api/types";
import { ago, metric, when } from "../lib/format";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { Pager } from "../ui/Pager";
import { WhyButton } from "../ui/WhyButton";
import { VersionBadges } from "./badges";
import { ComparePanel } from "./ComparePanel";
import { ledger, overview, recent } from "./data";
import { heldOut } from "./metrics";
import { PromoteButton } from "./PromoteButton";
import { RollBackButton } from "./RollBackButton";
import { go, route } from "./route";
import { noticeRefusal } from "./session";
import { Term } from "./Term";
import { useLoad } from "./useLoad";
import { VersionPanel } from "./VersionPanel";

const size = 20;

export function VersionsPage() {
  useLoad(recent, 15);
  useLoad(ledger);
  useLoad(overview);
  const [first, a, b] = route.value.rest;
  const champion = recent.data.value?.versions.find((version) => version.champion)?.id;
  return (
    <>
      <div class="page-head">
        <h1>Versions</h1>
        <div class="row">
          <WhyButton
            why={(recent.data.value?.total ?? 2) > 1 ? "" : "There is only one version so far."}
            onClick={() => go("versions", "compare", champion ?? 0, newest() ?? 0)}
          >
            Compare
          </WhyButton>
          <RollBackButton />
        </div>
      </div>
      {first === "compare" && <ComparePanel a={Number(a)} b={Number(b)} />}
      {first !== undefined && first !== "compare" && <VersionPanel key={first} id={Number(first)} />}
      <List open={Number(first)} champion={champion} />
    </>
  );
}

function newest(): number | undefined {
  return recent.data.value?.versions[0]?.id;
}

function List({ open, champion }: { open: number; champion: number | undefined }) {
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<VersionPage | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let current = true;
    api.versions(size, offset).then(
      (value) => {
        if (!current) return;
        setPage(value);
        setError("");
      },
      (problem: unknown) => {
        noticeRefusal(problem);
        if (current) setError(message(problem));
      },
    );
    return () => {
      current = false;
    };
  }, [offset, recent.data.value]);
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  if (page === null) return <Loading what="versions" />;
  return (
    <>
      <div class="table-wrap">
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">State</th>
              <th scope="col" class="right">
                <Term of="held_out">Held-out</Term> <Term of="ndcg">ndcg@10</Term>
              </th>
              <th scope="col">Made</th>
              <th scope="col">
                <span class="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {page.versions.map((version) => (
              <Row key={version.id} version={version} open={open === version.id} champion={champion} />
            ))}
          </tbody>
        </table>
      </div>
      <Pager what="version" offset={offset} size={size} total={page.total} onMove={setOffset} />
    </>
  );
}

function Row({ version, open, champion }: { version: Version; open: boolean; champion: number | undefined }) {
  return (
    <tr class={open ? "current" : undefined}>
      <td>
        <a href={`#versions/${version.id}`}>Version {version.id}</a>
        <div class="muted small wrap-anywhere">{version.name}</div>
      </td>
      <td>
        <VersionBadges version={version} />
      </td>
      <td class="num right" data-name="Held-out ndcg@10">{metric(heldOut(version, "ndcg@10"))}</td>
      <td class="nowrap" data-name="Made" title={when(version.created_at)}>
        {ago(version.created_at)}
      </td>
      <td>
        <div class="row actions">
          {champion !== undefined && champion !== version.id && (
            <a class="button quiet small" href={`#versions/compare/${champion}/${version.id}`}>
              Compare with {champion}
            </a>
          )}
          <PromoteButton version={version} />
        </div>
      </td>
    </tr>
  );
}
