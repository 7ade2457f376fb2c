/**
 * Where the host side brings connections for published service ports. Each goes to an endpoint of the service, as plain
 * bytes from the gateway's own address: a caller without identity.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Destination } from "../policy/workload-view.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { readFirstLine } from "../runtime/first-line.ts";
import {
  CONNECTED_LINE,
  failedLine,
  MAX_GATE_LINE_BYTES,
  parseGateRequest,
} from "../runtime/gate-lines.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { listenOwnerOnly } from "../runtime/owner-only-socket.ts";
import { PublishedServices } from "./published-services.ts";
import { relay } from "./tcp-relay.ts";
import { dialPlaintext, type Upstream, UpstreamConnectError } from "./upstream-dialer.ts";

const MAX_CONNECTIONS = 1_024;
const LINE_TIMEOUT_MS = 5_000;
/** Endpoints tried for one connection. */
const MAX_TRIED = 3;

export interface IngressListenerOptions {
  /** Of a Unix socket, made with mode 0600. */
  readonly path: string;
  readonly destinations: readonly Destination[];
  /** A number in [0, 1): which endpoint is the first. */
  readonly random: () => number;
  readonly log: Log;
}

export class IngressListener {
  readonly #path: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #services: PublishedServices;
  readonly #refused: BoundedWarning;

  constructor({ path, destinations, random, log }: IngressListenerOptions) {
    this.#path = path;
    this.#services = new PublishedServices((below) => Math.floor(random() * below));
    this.#services.update(destinations);
    this.#refused = new BoundedWarning(log, { message: "no connection to a published service" });
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.#open.add(client);
      client.once("close", () => this.#open.delete(client));
      client.on("error", () => client.destroy());
      void this.#serve(client);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws ListenError */
  async open(): Promise<void> {
    await listenOwnerOnly(this.#server, this.#path);
    this.#server.on("error", (error) => this.#refused.warn({ problem: describeError(error) }));
  }

  /** For connections from now on. */
  setDestinations(destinations: readonly Destination[]): void {
    this.#services.update(destinations);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const client of this.#open) client.destroy();
    await closed;
  }

  async #serve(client: Socket): Promise<void> {
    try {
      const limits = { maxBytes: MAX_GATE_LINE_BYTES, timeoutMs: LINE_TIMEOUT_MS };
      const outcome = await this.#connect(await readFirstLine(client, limits));
      if ("failed" in outcome) return this.#refuse(client, outcome);
      if (client.destroyed) return void outcome.socket.destroy();
      client.write(CONNECTED_LINE);
      await relay(client, outcome.socket, { head: Buffer.alloc(0) });
    } catch (error) {
      client.destroy();
      this.#refused.warn({ problem: describeError(error) });
    }
  }

  async #connect(line: string): Promise<Upstream | Refusal> {
    const request = parseGateRequest(line);
    if (request?.wanted !== "connection") return { failed: "malformed-request" };
    const service = `${request.target}:${request.port}`;
    const published = this.#services.find(service);
    if (published === undefined) return { failed: "unknown-service", service };
    let refusal: Refusal = { failed: "no-ready-endpoint", service };
    for (const address of published.tries(MAX_TRIED)) {
      try {
        return await dialPlaintext(address);
      } catch (error) {
        refusal = { failed: failureCode(error), service, problem: describeError(error) };
      }
    }
    return refusal;
  }

  #refuse(client: Socket, { failed, service, problem }: Refusal): void {
    this.#refused.warn({ service, problem: problem ?? failed });
    client.setTimeout(LINE_TIMEOUT_MS, () => client.destroy());
    client.end(failedLine(failed));
    client.resume();
  }
}

interface Refusal {
  readonly failed: string;
  readonly service?: string;
  readonly problem?: string;
}

/** `ECONNREFUSED` and the like, where the system says so. */
function failureCode(error: unknown): string {
  const cause = error instanceof UpstreamConnectError ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "unreachable";
}
