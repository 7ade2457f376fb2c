/** The way out of a mesh in namespaces of its own: connects to the outside, and asks the host's name servers. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Cidr } from "../../api/cidr.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import { serveDnsStream } from "../../runtime/dns-stream.ts";
import { readFirstLine } from "../../runtime/first-line.ts";
import {
  CONNECTED_LINE,
  failedLine,
  MAX_GATE_LINE_BYTES,
  parseGateRequest,
} from "../../runtime/gate-lines.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { listenOwnerOnly } from "../../runtime/owner-only-socket.ts";
import { refusalOf } from "./host-gate-destinations.ts";
import { carryBothWays } from "./host-gate-relay.ts";

const MAX_CONNECTIONS = 2_048;
const LINE_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_QUERY_BYTES = 4_096;
/** Of one connection, on which the whole mesh asks. */
const MAX_OWED_ANSWERS = 1_024;
const NAMES_IDLE_MS = 60_000;

export interface HostGateExitOptions {
  /** Of the Unix socket, made with mode 0600. */
  readonly path: string;
  /** Ranges that may be reached although they would be refused. */
  readonly allowed: readonly Cidr[];
  /** Asks the host's name servers. */
  readonly resolve: (query: Buffer) => Promise<Buffer | undefined>;
  readonly log: Log;
}

export class HostGateExit {
  readonly #options: HostGateExitOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(options: HostGateExitOptions) {
    this.#options = options;
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
    await listenOwnerOnly(this.#server, this.#options.path);
    this.#server.on("error", (error) =>
      this.#options.log.error("the way out of the mesh failed", { problem: describeError(error) }),
    );
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const client of this.#open) client.destroy();
    await closed;
  }

  /** Whoever says nothing sensible is left; the gateway, which knows for whom it asked, logs what failed. */
  async #serve(client: Socket): Promise<void> {
    const limits = { maxBytes: MAX_GATE_LINE_BYTES, timeoutMs: LINE_TIMEOUT_MS };
    const line = await readFirstLine(client, limits).catch(() => "");
    const request = parseGateRequest(line);
    if (request === undefined) client.destroy();
    else if (request.wanted === "names") this.#serveNames(client);
    else await this.#connect(client, { address: request.target, port: request.port });
  }

  #serveNames(client: Socket): void {
    serveDnsStream(client, {
      answer: this.#options.resolve,
      maxQueryBytes: MAX_QUERY_BYTES,
      maxOwed: MAX_OWED_ANSWERS,
      idleMs: NAMES_IDLE_MS,
    });
  }

  async #connect(client: Socket, { address, port }: SocketAddress): Promise<void> {
    const refusal = refusalOf(address, { allowed: this.#options.allowed });
    if (refusal !== undefined) return endWith(client, refusal);
    const upstream = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const leave = (): unknown => upstream.destroy();
    client.once("close", leave);
    upstream.on("error", leave);
    try {
      await once(upstream, "connect", { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
    } catch (error) {
      upstream.destroy();
      endWith(client, failureCode(error));
      return;
    }
    client.write(CONNECTED_LINE);
    await carryBothWays(client, upstream);
  }
}

/** Reads on, so that the other side's end is seen. */
function endWith(client: Socket, code: string): void {
  client.setTimeout(LINE_TIMEOUT_MS, () => client.destroy());
  client.end(failedLine(code));
  client.resume();
}

/** `ECONNREFUSED` and the like. */
function failureCode(error: unknown): string {
  if (!(error instanceof Error) || error.name === "AbortError") return "ETIMEDOUT";
  return "code" in error && typeof error.code === "string" ? error.code : "unreachable";
}
