import * as api from "../api/client";

const step = 500;

/** Every judgment that the filter lets through, one JSON object a line, as a download. */
export async function exportJudgments(filter: api.JudgmentFilter): Promise<void> {
  const parts: string[] = [];
  for (let offset = 0, total = 1; offset < total; offset += step) {
    const page = await api.judgments(filter, step, offset);
    total = page.total;
    for (const judgment of page.judgments) parts.push(`${JSON.stringify(judgment)}\n`);
  }
  const address = URL.createObjectURL(new Blob(parts, { type: "application/jsonl" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `judgments-${new Date().toISOString().slice(0, 10)}.jsonl`;
  link.click();
  URL.revokeObjectURL(address);
}
