/** The way into a mesh in namespaces of its own: ports of the host's loopback, each leading to a port of a service. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { SocketAddress } from "../../policy/workload.ts";
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
    for (const port of ports) {
      for (const place of placesOf(port))
        if (!wanted.has(keyOf(place))) wanted.set(keyOf(place), port);
    }
    const unwanted = [...this.#open.keys()].filter((key) => !wanted.has(key));
    await Promise.all(unwanted.map((key) => this.#closeOne(key)));
    return Promise.all(ports.map((port) => this.#offer(port, wanted)));
  }

  /** Where it is offered already, or at the first place that can be had. */
  async #offer(
    port: PublishedPort,
    wanted: ReadonlyMap<string, PublishedPort>,
  ): Promise<PublishOutcome> {
    const places = placesOf(port);
    const isOwn = (place: SocketAddress): boolean => wanted.get(keyOf(place)) === port;
    const known = places.find((place) => isOwn(place) && this.#open.has(keyOf(place)));
    const problems: string[] = [];
    for (const place of known === undefined ? places : [known]) {
      const problem = isOwn(place)
        ? await this.#openAt(place, port)
        : `it is the port of ${wanted.get(keyOf(place))?.service} already`;
      if (problem === undefined) return outcomeOf(port, { listen: place });
      problems.push(problem);
    }
    return outcomeOf(port, { listen: port.listen, problem: problems[0] });
  }

  async #openAt(place: SocketAddress, leadsTo: PublishedPort): Promise<string | undefined> {
    const open = this.#open.get(keyOf(place));
    if (open !== undefined) {
      open.leadsTo = leadsTo;
      return undefined;
    }
    try {
      this.#open.set(keyOf(place), await this.#listen(place, leadsTo));
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  async #listen({ address: host, port }: SocketAddress, leadsTo: PublishedPort): Promise<OpenPort> {
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

function placesOf({ listen, otherwise }: PublishedPort): readonly SocketAddress[] {
  return otherwise === undefined ? [listen] : [listen, otherwise];
}

function outcomeOf(
  { service, port }: PublishedPort,
  { listen, problem }: { readonly listen: SocketAddress; readonly problem?: string | undefined },
): PublishOutcome {
  return { service, port, listen, ...(problem !== undefined && { problem }) };
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
