/** The way into a mesh in namespaces of its own: ports of the host's loopback, each leading to a port of a service. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { readFirstLine } from "../../runtime/first-line.ts";
import { connectLine, MAX_GATE_LINE_BYTES, parseGateAnswer } from "../../runtime/gate-lines.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { carryBothWays } from "./host-gate-relay.ts";
import type { PublishedPort, PublishOutcome } from "./host-side.ts";

const MAX_CONNECTIONS_PER_PORT = 512;
/** The gateway tries several endpoints, each for ten seconds. */
const ANSWER_TIMEOUT_MS = 35_000;

export interface HostGateEntranceOptions {
  /** Path of the Unix socket on which the gateway listens. */
  readonly ingressSocket: string;
  readonly log: Log;
}

interface OpenPort {
  readonly server: Server;
  readonly connections: Set<Socket>;
  leadsTo: PublishedPort;
}

export class HostGateEntrance {
  readonly #options: HostGateEntranceOptions;
  readonly #open = new Map<string, OpenPort>();
  #gateway: "answering" | "absent" = "answering";
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: HostGateEntranceOptions) {
    this.#options = options;
  }

  /** Offers these ports, and no others any more; those that were offered before stay open. Never throws. */
  publish(ports: readonly PublishedPort[]): Promise<readonly PublishOutcome[]> {
    const published = this.#turn.then(() => this.#apply(ports));
    this.#turn = published;
    return published;
  }

  async close(): Promise<void> {
    await this.publish([]);
  }

  async #apply(ports: readonly PublishedPort[]): Promise<readonly PublishOutcome[]> {
    const wanted = new Map<string, PublishedPort>();
    for (const port of ports) if (!wanted.has(keyOf(port))) wanted.set(keyOf(port), port);
    const unwanted = [...this.#open.keys()].filter((key) => !wanted.has(key));
    await Promise.all(unwanted.map((key) => this.#closeOne(key)));
    return Promise.all(
      ports.map(async (port) => {
        const first = wanted.get(keyOf(port));
        const problem =
          first === port ? await this.#offer(port) : `it is the port of ${first?.service} already`;
        return problem === undefined ? port : { ...port, problem };
      }),
    );
  }

  async #offer(port: PublishedPort): Promise<string | undefined> {
    const open = this.#open.get(keyOf(port));
    if (open !== undefined) {
      open.leadsTo = port;
      return undefined;
    }
    try {
      this.#open.set(keyOf(port), await this.#listen(port));
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  async #listen(leadsTo: PublishedPort): Promise<OpenPort> {
    const { address: host, port } = leadsTo.listen;
    const connections = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      connections.add(client);
      client.once("close", () => connections.delete(client));
      client.on("error", () => client.destroy());
      void this.#serve(client, opened.leadsTo);
    });
    const opened: OpenPort = { server, connections, leadsTo };
    server.maxConnections = MAX_CONNECTIONS_PER_PORT;
    await once(server.listen({ host, port }), "listening");
    server.on("error", (error) =>
      this.#options.log.error("a published port failed", { port, problem: describeError(error) }),
    );
    return opened;
  }

  async #closeOne(key: string): Promise<void> {
    const open = this.#open.get(key);
    this.#open.delete(key);
    if (open === undefined) return;
    const closed = new Promise<void>((resolve) => void open.server.close(() => resolve()));
    for (const connection of open.connections) connection.destroy();
    await closed;
  }

  /** A client that cannot be served is reset, as by a port where nobody listens; the gateway logs why. */
  async #serve(client: Socket, { service, port }: PublishedPort): Promise<void> {
    const gateway = connect({ path: this.#options.ingressSocket, allowHalfOpen: true });
    const leave = (): unknown => gateway.destroy();
    client.once("close", leave);
    gateway.on("error", leave);
    try {
      gateway.write(connectLine(service, port));
      const limits = { maxBytes: MAX_GATE_LINE_BYTES, timeoutMs: ANSWER_TIMEOUT_MS };
      const line = await readFirstLine(gateway, limits);
      this.#gateway = "answering";
      if (parseGateAnswer(line) === "connected") return await carryBothWays(client, gateway);
    } catch (error) {
      if (!client.destroyed) this.#noteAbsence(error);
    }
    gateway.destroy();
    client.resetAndDestroy();
  }

  /** Once, until it answers again: clients decide how often they come. */
  #noteAbsence(error: unknown): void {
    if (this.#gateway === "absent") return;
    this.#gateway = "absent";
    const problem = describeError(error);
    this.#options.log.warn("the gateway takes no connections", { problem });
  }
}

function keyOf({ listen: { address, port } }: PublishedPort): string {
  return `${address} ${port}`;
}
