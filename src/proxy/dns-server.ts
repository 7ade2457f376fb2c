/**
 * Answers names over UDP and TCP (RFC 1035, RFC 7766): services and pods from the mesh's own table, the rest as somebody
 * else says. In a sidecar it serves its pod, in the gateway every pod that has none.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import type { NameTable } from "../policy/name-table.ts";
import type { SocketAddress } from "../policy/workload.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { dnsFailure, dnsTruncation } from "../runtime/dns-envelope.ts";
import { serveDnsStream } from "../runtime/dns-stream.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { ClientQuota, type QuotaLimits } from "./client-quota.ts";
import { answerDnsQuery, nextTurn } from "./dns-answer.ts";
import { composeDnsReply, type DnsQuery, parseDnsQuery } from "./dns-message.ts";
import { formatAddress } from "./format-address.ts";

/** As Istio's: a change of endpoints is seen soon. */
const TTL_SECONDS = 5;
/** No honest query is longer. */
const MAX_QUERY_BYTES = 4_096;
const TCP_CONNECTIONS: QuotaLimits = { perClient: 32, inAll: 1_024 };
const MAX_OWED_PER_CONNECTION = 32;
const TCP_IDLE_MS = 10_000;
/** Queries that wait for somebody else's answer; further ones are told SERVFAIL. */
const FORWARDED: QuotaLimits = { perClient: 256, inAll: 1_024 };

export interface DnsServerOptions {
  /** Each is served over UDP and TCP. */
  readonly listen: readonly SocketAddress[];
  readonly table: () => NameTable;
  /** Whose services are meant by a name alone; absent where callers of several are served. */
  readonly namespace?: string;
  /** Names of addresses, as `reverseNamesOf` gives them. */
  readonly reverseNames?: () => ReadonlyMap<string, string>;
  /** Asks somebody else; undefined when there was no answer. */
  readonly forward: (query: Buffer) => Promise<Buffer | undefined>;
  readonly log: Log;
}

/** A name of somebody else's that nobody could be asked for, or answered. */
export class UnresolvedNameError extends HauberkError {
  readonly code = "HAUBERK_UNRESOLVED_NAME";
}

interface Asking {
  readonly transport: "udp" | "tcp";
  /** Its IP address. */
  readonly client: string;
}

export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #unanswered: BoundedWarning;
  readonly #udp: UdpSocket[] = [];
  readonly #tcp: Server[] = [];
  readonly #connections = new Set<Socket>();
  readonly #connectionQuota = new ClientQuota(TCP_CONNECTIONS);
  readonly #forwardQuota = new ClientQuota(FORWARDED);
  #turn = 0;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#unanswered = new BoundedWarning(options.log, { message: "name not resolved" });
  }

  /** @throws ListenError when one of the addresses cannot be served; none is then */
  async open(): Promise<void> {
    try {
      for (const at of this.#options.listen) {
        await this.#openUdp(at);
        await this.#openTcp(at);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const closed = [...this.#udp, ...this.#tcp].map(
      (socket) => new Promise<void>((resolve) => void socket.close(() => resolve())),
    );
    for (const connection of this.#connections) connection.destroy();
    this.#udp.length = 0;
    this.#tcp.length = 0;
    await Promise.all(closed);
  }

  async #openUdp({ address, port }: SocketAddress): Promise<void> {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const at = formatAddress({ address, port });
    try {
      await once(socket.bind(port, address), "listening");
    } catch (cause) {
      socket.close();
      throw new ListenError(`cannot serve names on ${at} (UDP)`, { cause });
    }
    this.#udp.push(socket);
    this.#watch(socket, at);
    socket.on("message", (message, client) => void this.#answerDatagram(socket, message, client));
  }

  async #openTcp({ address: host, port }: SocketAddress): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#serve(socket),
    );
    const at = formatAddress({ address: host, port });
    try {
      await once(server.listen({ host, port }), "listening");
    } catch (cause) {
      throw new ListenError(`cannot serve names on ${at} (TCP)`, { cause });
    }
    this.#tcp.push(server);
    this.#watch(server, at);
  }

  #watch(socket: UdpSocket | Server, at: string): void {
    socket.on("error", (error: Error) =>
      this.#options.log.error("serving names failed", { at, problem: describeError(error) }),
    );
  }

  #serve(socket: Socket): void {
    const client = socket.remoteAddress ?? "";
    if (this.#connectionQuota.take(client) === "spent") return void socket.destroy();
    this.#connections.add(socket);
    socket.once("close", () => {
      this.#connections.delete(socket);
      this.#connectionQuota.giveBack(client);
    });
    serveDnsStream(socket, {
      answer: (message) => this.#answer(message, { transport: "tcp", client }),
      maxQueryBytes: MAX_QUERY_BYTES,
      maxOwed: MAX_OWED_PER_CONNECTION,
      idleMs: TCP_IDLE_MS,
    });
  }

  async #answerDatagram(socket: UdpSocket, message: Buffer, client: RemoteInfo): Promise<void> {
    if (message.length > MAX_QUERY_BYTES || client.port === 0) return;
    const reply = await this.#answer(message, { transport: "udp", client: client.address });
    if (reply === undefined || !this.#udp.includes(socket)) return;
    socket.send(reply, client.port, client.address, (error) => {
      if (error) this.#unanswered.warn({ client: client.address, problem: describeError(error) });
    });
  }

  async #answer(message: Buffer, { transport, client }: Asking): Promise<Buffer | undefined> {
    const query = parseDnsQuery(message);
    if (query === "ignore") return undefined;
    if ("faulty" in query) return query.faulty;
    const reply = await this.#resolve(query, client);
    const tooLong = transport === "udp" && reply.length > query.udpBytes;
    return tooLong ? dnsTruncation(message) : reply;
  }

  async #resolve(query: DnsQuery, client: string): Promise<Buffer> {
    try {
      return this.#answerHere(query) ?? (await this.#askElsewhere(query, client));
    } catch (error) {
      const { message, name } = query;
      this.#unanswered.warn({ client, name, problem: describeError(error) });
      return dnsFailure(message, "SERVFAIL");
    }
  }

  /** @returns undefined when the name is not of this mesh */
  #answerHere(query: DnsQuery): Buffer | undefined {
    const { table, namespace, reverseNames } = this.#options;
    this.#turn = nextTurn(this.#turn);
    const reply = answerDnsQuery(query, {
      table: table(),
      namespace,
      reverseNames: reverseNames?.() ?? NO_NAMES,
      turn: this.#turn,
    });
    return reply === "forward"
      ? undefined
      : composeDnsReply(query, reply, { ttlSeconds: TTL_SECONDS });
  }

  /** @throws UnresolvedNameError, and what `forward` throws */
  async #askElsewhere({ message }: DnsQuery, client: string): Promise<Buffer> {
    if (this.#forwardQuota.take(client) === "spent") {
      throw new UnresolvedNameError("too many queries at once");
    }
    try {
      const reply = await this.#options.forward(message);
      if (reply === undefined) throw new UnresolvedNameError("no answer");
      return reply;
    } finally {
      this.#forwardQuota.giveBack(client);
    }
  }
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();
