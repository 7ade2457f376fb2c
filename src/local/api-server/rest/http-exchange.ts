/** One exchange of HTTP: what is asked is read within limits, what is answered is written. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { badRequest } from "../objects/refusals.ts";
import { StatusError } from "../objects/status-error.ts";
import { type ApiAnswer, type StreamAnswer, statusOf, type ValueAnswer } from "./api-answer.ts";
import type { ApiRequest } from "./api-request.ts";

/** As a real server. */
const MAX_BODY_BYTES = 3 * 1_048_576;
const MAX_PATH_PARTS = 16;
/** What a client that watches and does not read may be behind by. */
const MAX_BACKLOG_BYTES = 8 * 1_048_576;
const MAX_WARNING = 1_024;
const MAX_WARNINGS = 8;

const HEADERS = {
  "cache-control": "no-cache, private",
  "x-content-type-options": "nosniff",
};

/** @throws StatusError 400 */
export function readRequest(message: IncomingMessage): ApiRequest {
  const { url = "", method = "", headers } = message;
  if (!url.startsWith("/")) throw badRequest("the request's target is not a path");
  const [pathText = "", ...queries] = url.split("?");
  const parts = pathText.split("/").filter((part) => part !== "");
  if (parts.length > MAX_PATH_PARTS) throw badRequest("the path has too many parts");
  return {
    method,
    path: parts.map(decoded),
    query: new URLSearchParams(queries.join("?")),
    headers,
    readBody: () => readBody(message),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest("the path cannot be decoded");
  }
}

/** @throws StatusError 413 */
async function readBody(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of message) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES)
      throw new StatusError(413, "RequestEntityTooLarge", {
        message: `Request entity too large: limit is ${MAX_BODY_BYTES}`,
      });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export async function writeAnswer(answer: ApiAnswer, response: ServerResponse): Promise<void> {
  if ("stream" in answer) return await writeStream(answer, response);
  if ("text" in answer)
    return write(response, {
      status: answer.status,
      type: answer.contentType ?? "text/plain",
      body: answer.text,
    });
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  writeValue(answer, response);
}

export function writeRefusal(error: StatusError, response: ServerResponse): void {
  if (error.status === 401 || error.status === 403) response.setHeader("connection", "close");
  const seconds = error.details?.retryAfterSeconds;
  if (seconds !== undefined) response.setHeader("retry-after", String(seconds));
  writeValue({ status: error.status, value: statusOf(error) }, response);
}

function writeValue(
  { status, value, contentType = "application/json", warnings = [] }: ValueAnswer,
  response: ServerResponse,
): void {
  const headers = [...new Set(warnings)].slice(0, MAX_WARNINGS).map(warningHeader);
  if (headers.length > 0) response.setHeader("warning", headers);
  write(response, { status, type: contentType, body: `${JSON.stringify(value)}\n` });
}

/** RFC 9111 section 5.5, 299: what is told is of no other kind. */
function warningHeader(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]+/g, " ").slice(0, MAX_WARNING);
  return `299 - "${printable.replace(/["\\]/g, "\\$&")}"`;
}

function write(
  response: ServerResponse,
  { status, type, body }: { readonly status: number; readonly type: string; readonly body: string },
): void {
  if (!response.req.complete) response.setHeader("connection", "close"); // a body that nobody reads
  const headers = { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(body) };
  response.writeHead(status, headers).end(response.req.method === "HEAD" ? undefined : body);
}

async function writeStream({ stream }: StreamAnswer, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { ...HEADERS, "content-type": "application/json" });
  response.flushHeaders();
  await stream((value) => {
    response.write(`${JSON.stringify(value)}\n`);
    return response.writableLength <= MAX_BACKLOG_BYTES;
  }, gone.signal);
  if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
  else response.end();
}
