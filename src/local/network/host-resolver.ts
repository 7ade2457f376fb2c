/** Asks the name servers that the host itself asks: a mesh in namespaces of its own cannot reach them. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { SocketAddress } from "../../policy/workload.ts";
import { DNS_RESPONSE_CODES, dnsFailure, readDnsEnvelope } from "../../runtime/dns-envelope.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { askOverTcp, askOverUdp } from "./host-resolver-exchange.ts";

const RESOLV_CONF = "/etc/resolv.conf";
const PORT = 53;
/** As glibc: further ones are not asked. */
const MAX_NAME_SERVERS = 3;
const TRY_TIMEOUT_MS = 1_500;
/** Of one query, however many servers there are. Whoever asks has given up by then. */
const QUERY_TIMEOUT_MS = 5_000;
const MAX_QUERIES = 1_024;

/** Another server may know more (resolv.conf(5), as glibc goes on). */
const GO_ON: ReadonlySet<number> = new Set([
  DNS_RESPONSE_CODES.SERVFAIL,
  DNS_RESPONSE_CODES.NOTIMP,
  DNS_RESPONSE_CODES.REFUSED,
]);

export interface HostResolverOptions {
  /** In order; those of the host's `/etc/resolv.conf`, unless given. */
  readonly nameServers?: () => Promise<readonly SocketAddress[]>;
  /** Milliseconds that one server may take. */
  readonly tryTimeoutMs?: number;
  readonly log: Log;
}

export class HostResolver {
  readonly #nameServers: () => Promise<readonly SocketAddress[]>;
  readonly #tryTimeoutMs: number;
  readonly #log: Log;
  #state: "answering" | "silent" = "answering";
  #queries = 0;

  constructor({ nameServers, tryTimeoutMs, log }: HostResolverOptions) {
    this.#nameServers = nameServers ?? (() => readNameServers(RESOLV_CONF));
    this.#tryTimeoutMs = tryTimeoutMs ?? TRY_TIMEOUT_MS;
    this.#log = log;
  }

  /**
   * Never throws.
   *
   * @param query a DNS message
   * @returns what a name server answered, under the query's own id; a failure when none did; undefined when it is no query
   */
  async resolve(query: Buffer): Promise<Buffer | undefined> {
    const envelope = readDnsEnvelope(query);
    if (envelope?.kind !== "query") return undefined;
    if (envelope.question === undefined) return dnsFailure(query, "FORMERR");
    if (this.#queries >= MAX_QUERIES) return dnsFailure(query, "SERVFAIL");
    this.#queries++;
    try {
      return await this.#askAll(query);
    } finally {
      this.#queries--;
    }
  }

  /** Servers that said nothing get a second chance: a datagram may be lost. */
  async #askAll(query: Buffer): Promise<Buffer> {
    const until = performance.now() + QUERY_TIMEOUT_MS;
    const servers = await this.#nameServers().catch((error: unknown) => describeError(error));
    if (typeof servers === "string") return this.#unanswered(query, servers);
    const turns = [...servers];
    let failure: Buffer | undefined;
    let problem = "the host names none";
    // What is put at the end while going through is gone through too.
    for (const [turn, server] of turns.entries()) {
      if (performance.now() > until) break;
      try {
        const answer = await this.#ask(server, query);
        if (isFinal(answer)) return this.#answered(answer);
        failure ??= answer;
      } catch (error) {
        problem = `${server.address}: ${describeError(error)}`;
        if (turn < servers.length) turns.push(server);
      }
    }
    return failure === undefined ? this.#unanswered(query, problem) : this.#answered(failure);
  }

  async #ask(server: SocketAddress, query: Buffer): Promise<Buffer> {
    const limits = { timeoutMs: this.#tryTimeoutMs };
    const answer = await askOverUdp(server, query, limits);
    const truncated = readDnsEnvelope(answer)?.truncation === "truncated";
    return truncated ? askOverTcp(server, query, limits) : answer;
  }

  #answered(answer: Buffer): Buffer {
    this.#state = "answering";
    return answer;
  }

  /** Told once, until one answers again: the mesh decides how often it asks. */
  #unanswered(query: Buffer, problem: string): Buffer {
    if (this.#state === "answering")
      this.#log.warn("no name server of the host answers", { problem });
    this.#state = "silent";
    return dnsFailure(query, "SERVFAIL");
  }
}

function isFinal(answer: Buffer): boolean {
  const code = readDnsEnvelope(answer)?.responseCode;
  return code !== undefined && !GO_ON.has(code);
}

/** The file is small, and changes when a laptop does networks: it is read for every query. */
async function readNameServers(path: string): Promise<readonly SocketAddress[]> {
  return parseNameServers(await readFile(path, "utf8"));
}

/** @param text of a resolv.conf(5) */
export function parseNameServers(text: string): readonly SocketAddress[] {
  return text
    .split("\n")
    .flatMap((line) => /^nameserver[ \t]+(\S+)/.exec(line)?.[1] ?? [])
    .filter((address) => isIP(address) !== 0)
    .slice(0, MAX_NAME_SERVERS)
    .map((address) => ({ address, port: PORT }));
}
