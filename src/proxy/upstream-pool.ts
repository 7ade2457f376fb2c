/** Keeps HTTP connections open between requests, one set for each endpoint, certificate and trust. */
import { Agent, type AgentOptions, type ClientRequestArgs } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { CALLER_RESERVE, type CertificateDeadlines } from "./certificate-deadlines.ts";
import { firstEnd } from "./peer.ts";
import type { Upstream } from "./upstream-dialer.ts";

const MAX_IDLE_CONNECTIONS = 64;

/** Stands beside an error; nobody looks at it. */
const NO_CONNECTION = new Duplex();

export type Dial = () => Promise<Upstream>;

export interface UpstreamPoolLimits {
  /** Shorter than the other end keeps an idle connection, so that we are the ones to close. */
  readonly idleMs: number;
  /** For connections that stand on certificates. */
  readonly deadlines?: CertificateDeadlines;
}

export class UpstreamPool {
  readonly #agents = new Map<string, DialingAgent>();
  readonly #limits: UpstreamPoolLimits;

  constructor(limits: UpstreamPoolLimits) {
    this.#limits = limits;
  }

  /**
   * The connections to one endpoint.
   *
   * @param key says all that makes a connection what it is: who we are in it, and whom it must lead to
   */
  agent(key: string, dial: Dial): DialingAgent {
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = new DialingAgent(dial, this.#limits);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /** Closes idle connections of every other key; their active ones finish what they carry, and close. */
  retainOnly(keys: ReadonlySet<string>): void {
    for (const [key, agent] of this.#agents) {
      if (keys.has(key)) continue;
      this.#agents.delete(key);
      agent.retire();
    }
  }

  close(): void {
    this.retainOnly(new Set());
  }
}

/** node:http's own pool over our own connections. */
export class DialingAgent extends Agent {
  readonly #dial: Dial;
  readonly #deadlines: CertificateDeadlines | undefined;
  readonly #upstreams = new WeakMap<Duplex, Upstream>();
  /** Connections that serve no further request. */
  readonly #ending = new WeakSet<Duplex>();
  #retired = false;

  constructor(dial: Dial, { idleMs, deadlines }: UpstreamPoolLimits) {
    const options: AgentOptions = {
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_CONNECTIONS,
      timeout: idleMs,
      scheduling: "lifo",
    };
    super(options);
    this.#dial = dial;
    this.#deadlines = deadlines;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#dial().then(
      (upstream) => {
        const { socket } = upstream;
        this.#upstreams.set(socket, upstream);
        const dropIfIdle = (): void => {
          if (this.#idle().includes(socket)) drop(socket);
        };
        socket.on("end", dropIfIdle).on("timeout", dropIfIdle);
        this.#retireInTime(upstream, () => {
          this.#ending.add(socket);
          dropIfIdle();
        });
        callback?.(null, socket);
      },
      (error: Error) => callback?.(error, NO_CONNECTION),
    );
    return undefined;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const ends = this.#retired || this.#ending.has(socket);
    const kept: unknown = ends ? false : super.keepSocketAlive(socket);
    return kept !== false;
  }

  #retireInTime({ socket, mutualTls }: Upstream, retire: () => void): void {
    if (this.#deadlines === undefined || mutualTls === undefined) return;
    const ends = firstEnd(mutualTls.own, mutualTls.peer);
    socket.once("close", this.#deadlines.watch(ends, CALLER_RESERVE, retire));
  }

  /** Where a connection of this pool leads to. */
  upstreamOf(socket: Socket): Upstream | undefined {
    return this.#upstreams.get(socket);
  }

  /** Serves no further request on its connections, but for those that are under way. */
  retire(): void {
    this.#retired = true;
    this.dropIdle();
  }

  /** Closes what waits for a request. */
  dropIdle(): void {
    for (const socket of this.#idle()) drop(socket);
  }

  #idle(): readonly Socket[] {
    return Object.values(this.freeSockets).flatMap((sockets) => sockets ?? []);
  }
}

/** The agent hears of a socket's end only later: without a word it would still give it to the next request. */
function drop(socket: Socket): void {
  socket.destroy();
  socket.emit("agentRemove");
}
