/** Server-sent events over fetch: EventSource can neither POST nor be told apart from a refused request. */
import { ApiError, isAbort, send } from "./http";

export interface ServerEvent {
  event: string;
  id: string;
  data: unknown;
}

/** Yields each event. Ends when the server closes; throws ApiError when the connection breaks. */
export async function* events(
  method: "GET" | "POST",
  path: string,
  options: { body?: unknown; signal?: AbortSignal; headers?: Record<string, string> } = {},
): AsyncGenerator<ServerEvent> {
  const response = await send(method, path, {
    ...options,
    headers: { Accept: "text/event-stream", ...options.headers },
  });
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value.replaceAll("\r\n", "\n");
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parse(block);
        if (event !== null) yield event;
      }
    }
  } catch (error) {
    if (isAbort(error) || error instanceof ApiError) throw error;
    throw new ApiError(0, "interrupted", "The connection broke off.");
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function parse(block: string): ServerEvent | null {
  let event = "message";
  let id = "";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { event, id, data: JSON.parse(data.join("\n")) as unknown };
}
