/** Every call the two pages make, in one place. */
import { call, query } from "./http";
import { events, type ServerEvent } from "./sse";
import type * as T from "./types";

const part = encodeURIComponent;

// --- chat ---------------------------------------------------------------------------------

export const chat = (form: T.ChatForm, signal: AbortSignal): AsyncGenerator<ServerEvent> =>
  events("POST", "/api/chat", { body: form, signal });

export const answer = (id: string): Promise<T.StoredAnswer> => call("GET", `/api/answers/${part(id)}`);

/** Search that is not logged: looking for the right place is not a question asked. */
export const lookUp = (form: T.SearchForm, signal: AbortSignal): Promise<T.SearchResult> =>
  call("POST", "/api/search", { body: form, signal, headers: { "X-Rankloop-Test": "1" } });

export const rate = (answer: string, form: T.RatingForm): Promise<T.Receipt> =>
  call("PUT", `/api/answers/${part(answer)}/rating`, { body: form });

export const rateChunk = (answer: string, chunk: number, relevant: boolean | null): Promise<T.Receipt> =>
  call("PUT", `/api/answers/${part(answer)}/chunks/${chunk}/rating`, { body: { relevant } });

export const correct = (answer: string, chunk: number | null): Promise<T.Receipt> =>
  call("PUT", `/api/answers/${part(answer)}/correction`, { body: { chunk_id: chunk } });

export const recordEvent = (answer: string, form: T.EventForm): Promise<unknown> =>
  call("POST", `/api/answers/${part(answer)}/events`, { body: form, keepalive: true });

export const receipt = (answer: string): Promise<T.Receipt> => call("GET", `/api/answers/${part(answer)}/receipt`);

export const repos = (): Promise<T.RepoItem[]> => call("GET", "/api/repos");

export const conversations = (search: string, signal?: AbortSignal): Promise<T.ConversationItem[]> =>
  call("GET", `/api/conversations${query({ search })}`, { signal });

export const conversation = (id: string): Promise<T.ConversationDetail> =>
  call("GET", `/api/conversations/${part(id)}`);

export const renameConversation = (id: string, title: string): Promise<T.ConversationItem> =>
  call("PATCH", `/api/conversations/${part(id)}`, { body: { title } });

export const deleteConversation = (id: string): Promise<void> => call("DELETE", `/api/conversations/${part(id)}`);

// --- session ------------------------------------------------------------------------------

export const session = (): Promise<T.SessionState> => call("GET", "/api/session");

export const signIn = (form: { token: string } | { link: string }): Promise<T.SessionState> =>
  call("POST", "/api/session", { body: form });

export const signOut = (): Promise<void> => call("DELETE", "/api/session");

// --- admin --------------------------------------------------------------------------------

export const overview = (): Promise<T.Overview> => call("GET", "/api/admin/overview");

export const versions = (limit: number, offset: number): Promise<T.VersionPage> =>
  call("GET", `/api/admin/models${query({ limit, offset })}`);

export const version = (id: number): Promise<T.VersionDetail> => call("GET", `/api/admin/models/${id}`);

export const compare = (a: number, b: number): Promise<T.Comparison> =>
  call("GET", `/api/admin/models/compare${query({ a, b })}`);

export const promote = (id: number, form: T.PromoteForm): Promise<T.Deployment> =>
  call("POST", `/api/admin/models/${id}/promote`, { body: form });

export const rollBack = (form: T.RollbackForm): Promise<T.Deployment> =>
  call("POST", "/api/admin/rollback", { body: form });

export const deployments = (): Promise<T.Deployment[]> => call("GET", "/api/admin/deployments");

export const jobs = async (): Promise<T.Job[]> => (await call<{ jobs: T.Job[] }>("GET", "/api/admin/jobs")).jobs;

export const job = (id: number): Promise<T.Job> => call("GET", `/api/admin/jobs/${id}`);

export const startJob = (form: T.JobForm): Promise<{ job_id: number }> =>
  call("POST", "/api/admin/jobs", { body: form });

export const cancelJob = (id: number): Promise<T.Job> => call("POST", `/api/admin/jobs/${id}/cancel`);

export const jobEvents = (id: number, after: number, signal: AbortSignal): AsyncGenerator<ServerEvent> =>
  events("GET", `/api/admin/jobs/${id}/events${query({ after })}`, { signal });

export const schedule = (): Promise<T.Schedule> => call("GET", "/api/admin/schedule");

export const saveSchedule = (form: T.ScheduleForm): Promise<T.Schedule> =>
  call("PUT", "/api/admin/schedule", { body: form });

export const adminRepos = (): Promise<T.AdminRepo[]> => call("GET", "/api/admin/repos");

export const addRepo = (name: string, path: string): Promise<{ name: string; job_id: number }> =>
  call("POST", "/api/admin/repos", { body: { name, path } });

export const reindexRepo = (name: string): Promise<{ job_id: number }> =>
  call("POST", `/api/admin/repos/${part(name)}/index`);

export const removeRepo = (name: string): Promise<void> => call("DELETE", `/api/admin/repos/${part(name)}`);

export interface JudgmentFilter {
  search: string;
  repo: string;
  source: string;
  actor: string;
  conflict: boolean | null;
  retired: boolean | null;
}

export const judgments = (filter: JudgmentFilter, limit: number, offset: number): Promise<T.JudgmentPage> =>
  call("GET", `/api/admin/judgments${query({ ...filter, limit, offset })}`);

/** Where the browser downloads what the filter selects, one JSON object a line. */
export const judgmentsExport = (filter: JudgmentFilter): string => `/api/admin/judgments/export${query({ ...filter })}`;

export const actors = (): Promise<T.ActorCount[]> => call("GET", "/api/admin/judgments/actors");

export interface PairFilter {
  data_set: string;
  search: string;
  repo: string;
  source: string;
  relevant: boolean | null;
}

export const heldBack = (): Promise<T.HeldBack> => call("GET", "/api/admin/quarantine");

export const decideBurst = (form: T.BurstForm): Promise<T.HeldBack> =>
  call("POST", "/api/admin/quarantine", { body: form });

export const golden = (): Promise<T.Golden[]> => call("GET", "/api/admin/golden");

export const addGolden = (form: T.GoldenForm): Promise<T.Golden> => call("POST", "/api/admin/golden", { body: form });

export const removeGolden = (id: number): Promise<void> => call("DELETE", `/api/admin/golden/${id}`);

export const dataSets = (): Promise<T.DataSet[]> => call("GET", "/api/admin/data-sets");

export const pairs = (filter: PairFilter, limit: number, offset: number): Promise<T.PairPage> =>
  call("GET", `/api/admin/pairs${query({ ...filter, limit, offset })}`);

export const pairsExport = (filter: PairFilter): string => `/api/admin/pairs/export${query({ ...filter })}`;

export const changeJudgment = (id: string, form: T.JudgmentForm): Promise<T.Judgment> =>
  call("PATCH", `/api/admin/judgments/${part(id)}`, { body: form });
