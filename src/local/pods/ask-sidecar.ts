/** Asks a sidecar of this machine over the Unix socket of its administration. */

import { once } from "node:events";
import { lstat } from "node:fs/promises";
import { request as openRequest } from "node:http";
import type { Readable } from "node:stream";
import { connectUnixSocket } from "../../runtime/connect-unix-socket.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";

/** There is no such pod, or its sidecar does not tell. */
export class NoSidecarAnswerError extends HauberkError {
  readonly code = "HAUBERK_NO_SIDECAR_ANSWER";
}

export interface SidecarQuestion {
  /** POST: what changes something. */
  readonly method?: "GET" | "POST";
  /** With its query. */
  readonly path: string;
  /** Default: 10 s. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 10_000;
/** The view of a large mesh; a sidecar does not decide how much memory whoever asks it spends. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * @param socket path, perhaps a long one
 * @returns what it answers, when that is a success
 * @throws NoSidecarAnswerError
 */
export async function askSidecar(socket: string, question: SidecarQuestion): Promise<string> {
  const { method = "GET", path, patienceMs = PATIENCE_MS } = question;
  try {
    await refuseStrangers(socket);
    const signal = AbortSignal.timeout(patienceMs);
    const asked = openRequest({
      method,
      path,
      headers: { host: "sidecar" },
      createConnection: () => connectUnixSocket(socket),
      signal,
    }).end();
    const [response] = await once(asked, "response", { signal });
    const answer = await textOf(response);
    if (response.statusCode < 300) return answer;
    throw new NoSidecarAnswerError(`the sidecar refuses: ${answer.trim()}`);
  } catch (cause) {
    if (cause instanceof NoSidecarAnswerError) throw cause;
    throw new NoSidecarAnswerError(`no sidecar answers at ${socket}`, { cause });
  }
}

async function textOf(response: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES)
      throw new NoSidecarAnswerError(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** What root runs, a sidecar of root's mesh has under a user of its own. */
async function refuseStrangers(path: string): Promise<void> {
  const found = await lstat(path);
  const own = process.getuid?.();
  if (!found.isSocket() || (own !== 0 && found.uid !== own))
    throw new NoSidecarAnswerError(`${path} is not a socket of this user`);
}
