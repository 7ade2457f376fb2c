/** Asks Envoy itself, over the Unix socket of its administration. */
import { once } from "node:events";
import { request as openRequest } from "node:http";
import type { Readable } from "node:stream";
import { connectUnixSocket } from "../runtime/connect-unix-socket.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Envoy does not answer, or refuses. */
export class NoEnvoyAnswerError extends HauberkError {
  readonly code = "HAUBERK_NO_ENVOY_ANSWER";
}

const PATIENCE_MS = 10_000;
/** The configuration of a large mesh. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export interface EnvoyQuestion {
  /** POST: what changes something. */
  readonly method?: "GET" | "POST";
  /** With its query. */
  readonly path: string;
}

export class EnvoyAdmin {
  readonly #socket: string;

  /** @param socket path */
  constructor(socket: string) {
    this.#socket = socket;
  }

  /** @throws NoEnvoyAnswerError */
  async ask({ method = "GET", path }: EnvoyQuestion): Promise<string> {
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const asked = openRequest({
        method,
        path,
        headers: { host: "envoy" },
        createConnection: () => connectUnixSocket(this.#socket),
        signal,
      }).end();
      const [response] = await once(asked, "response", { signal });
      const answer = await textOf(response);
      if (response.statusCode < 300) return answer;
      throw new NoEnvoyAnswerError(`Envoy refuses ${path}: ${answer.trim()}`);
    } catch (cause) {
      if (cause instanceof NoEnvoyAnswerError) throw cause;
      throw new NoEnvoyAnswerError(`Envoy does not answer ${path}`, { cause });
    }
  }

  /** Whether it has been told all that it needs, and serves. */
  async isReady(): Promise<boolean> {
    try {
      return (await this.ask({ path: "/ready" })).trim() === "LIVE";
    } catch {
      return false; // it starts, or waits
    }
  }

  /** Requests and connections that are under way, but for those with its agent. @throws NoEnvoyAnswerError */
  async underWay(): Promise<number> {
    const path = "/stats?format=json&type=Gauges&usedonly&filter=upstream_rq_active$";
    const { stats = [] } = JSON.parse(await this.ask({ path })) as GaugesAnswer;
    const counted = stats.filter(({ name = "" }) => IS_CLUSTERS.test(name) && !OF_AGENT.test(name));
    return counted.reduce((sum, { value = 0 }) => sum + value, 0);
  }
}

interface GaugesAnswer {
  readonly stats?: readonly { readonly name?: string; readonly value?: number }[];
}

const IS_CLUSTERS = /^cluster\..*\.upstream_rq_active$/;
const OF_AGENT = /^cluster\.(?:xds|sds)-grpc\./;

async function textOf(response: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES)
      throw new NoEnvoyAnswerError(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
