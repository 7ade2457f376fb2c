/**
 * The host's side of a mesh in namespaces of its own, run by the process that stayed outside: what the mesh may reach of
 * the world, and the world of the mesh, goes through here.
 */
import type { Cidr } from "../../api/cidr.ts";
import type { Log } from "../../runtime/log.ts";
import { HostGateEntrance } from "./host-gate-entrance.ts";
import { HostGateExit } from "./host-gate-exit.ts";
import { HostResolver } from "./host-resolver.ts";
import type { PublishedPort, PublishOutcome } from "./host-side.ts";

export interface HostGateOptions {
  /** Path of the Unix socket to serve, in a folder that only its user can enter. */
  readonly egressSocket: string;
  /** Path of the Unix socket on which the gateway listens, once it runs. */
  readonly ingressSocket: string;
  /** Ranges that the mesh may reach although they would be refused, as the host's loopback. */
  readonly allowed?: readonly Cidr[];
  /** Those of the host, unless given. */
  readonly resolver?: Pick<HostResolver, "resolve">;
  readonly log: Log;
}

export class HostGate {
  readonly #exit: HostGateExit;
  readonly #entrance: HostGateEntrance;

  private constructor(options: HostGateOptions) {
    const { egressSocket, ingressSocket, allowed = [], log } = options;
    const resolver = options.resolver ?? new HostResolver({ log });
    const resolve = (query: Buffer): Promise<Buffer | undefined> => resolver.resolve(query);
    this.#exit = new HostGateExit({ path: egressSocket, allowed, resolve, log });
    this.#entrance = new HostGateEntrance({ ingressSocket, log });
  }

  /** @throws ListenError */
  static async open(options: HostGateOptions): Promise<HostGate> {
    const gate = new HostGate(options);
    await gate.#exit.open();
    return gate;
  }

  /** Offers these ports on the host, and no others any more; a port that cannot be had says why. Never throws. */
  publish(ports: readonly PublishedPort[]): Promise<readonly PublishOutcome[]> {
    return this.#entrance.publish(ports);
  }

  async close(): Promise<void> {
    await Promise.all([this.#exit.close(), this.#entrance.close()]);
  }
}
