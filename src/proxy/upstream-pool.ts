/** Keeps HTTP connections open between requests, one set for each endpoint, certificate and trust. */
import { Agent, type AgentOptions, type ClientRequestArgs } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Upstream } from "./upstream-dialer.ts";

/** Shorter than the time for which a sidecar keeps an idle connection, so that we are the ones to close. */
const IDLE_MS = 55_000;
const MAX_IDLE_CONNECTIONS = 64;

/** Stands beside an error; nobody looks at it. */
const NO_CONNECTION = new Duplex();

export type Dial = () => Promise<Upstream>;

export class UpstreamPool {
  readonly #agents = new Map<string, DialingAgent>();

  /**
   * The connections to one endpoint.
   *
   * @param key says all that makes a connection what it is: who we are in it, and whom it must lead to
   */
  agent(key: string, dial: Dial): DialingAgent {
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = new DialingAgent(dial);
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
  readonly #upstreams = new WeakMap<Duplex, Upstream>();
  #retired = false;

  constructor(dial: Dial) {
    const options: AgentOptions = {
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_CONNECTIONS,
      timeout: IDLE_MS,
      scheduling: "lifo",
    };
    super(options);
    this.#dial = dial;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#dial().then(
      (upstream) => {
        this.#upstreams.set(upstream.socket, upstream);
        callback?.(null, upstream.socket);
      },
      (error: Error) => callback?.(error, NO_CONNECTION),
    );
    return undefined;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const kept: unknown = this.#retired ? false : super.keepSocketAlive(socket);
    return kept !== false;
  }

  /** Where a connection of this pool leads to. */
  upstreamOf(socket: Socket): Upstream | undefined {
    return this.#upstreams.get(socket);
  }

  retire(): void {
    this.#retired = true;
    for (const sockets of Object.values(this.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }
}
