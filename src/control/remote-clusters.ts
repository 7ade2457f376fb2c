/** All other clusters that the resources name: followed, remembered, and handed on together. */
import type { RemoteCluster } from "../api/remote-cluster.ts";
import { formatServer } from "../api/remote-cluster.ts";
import type { Resource } from "../api/resource.ts";
import { meshSettingsOf, ofKind } from "../policy/mesh-snapshot.ts";
import type { RemoteClusterServices } from "../policy/remote-cluster-services.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import { FollowedCluster } from "./followed-cluster.ts";
import type { RemoteConnectionOptions } from "./remote-cluster-connection.ts";
import { type Remembered, RemoteClusterMemory } from "./remote-cluster-memory.ts";
import type { RemoteClusterState } from "./remote-cluster-state.ts";

/** How often it is written down that what is remembered is still true. */
const CONFIRM_MS = 30_000;

export interface RemoteClustersOptions
  extends Omit<RemoteConnectionOptions, "resource" | "remembered"> {
  readonly resources: Watched<readonly Resource[]>;
  readonly dataDirectory: string;
}

export class RemoteClusters {
  readonly #services: WatchedValue<readonly RemoteClusterServices[]> = new WatchedValue<
    readonly RemoteClusterServices[]
  >([]);
  readonly #options: RemoteClustersOptions;
  readonly #memory: RemoteClusterMemory;
  /** By name. */
  readonly #followed = new Map<string, FollowedCluster>();
  readonly #closing = new Set<Promise<void>>();
  readonly #stops: readonly (() => void)[];

  private constructor(options: RemoteClustersOptions, memory: RemoteClusterMemory) {
    this.#options = options;
    this.#memory = memory;
    const timer = setInterval(() => this.#confirm(), CONFIRM_MS).unref();
    const stopWatching = options.resources.onChange(() => this.#reconcile(new Map()));
    this.#stops = [() => clearInterval(timer), stopWatching];
  }

  /** Goes on with what an earlier control plane was told last. */
  static async open(options: RemoteClustersOptions): Promise<RemoteClusters> {
    const memory = new RemoteClusterMemory(options.dataDirectory, options.log);
    const remembered = await memory.recall(wantedOf(options).map(({ meta }) => meta.name));
    const clusters = new RemoteClusters(options, memory);
    clusters.#reconcile(remembered);
    return clusters;
  }

  /** What is admitted, in the order of the clusters' names. */
  get services(): Watched<readonly RemoteClusterServices[]> {
    return this.#services;
  }

  /** In the order of names. */
  get states(): readonly RemoteClusterState[] {
    return this.#inOrder().map(({ state }) => state);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#confirm();
    for (const name of [...this.#followed.keys()]) this.#unfollow(name);
    await Promise.all(this.#closing);
    await this.#memory.close();
  }

  #reconcile(remembered: ReadonlyMap<string, Remembered>): void {
    const wanted = new Map(wantedOf(this.#options).map((each) => [each.meta.name, each]));
    const gone = [...this.#followed.keys()].filter((name) => !wanted.has(name));
    for (const name of gone) {
      this.#unfollow(name);
      this.#memory.forget(name);
    }
    for (const [name, resource] of wanted) {
      const now = this.#followed.get(name);
      if (now !== undefined && isSame(now.connection.resource, resource)) continue;
      const last = now === undefined ? remembered.get(name) : lastOf(now, resource);
      this.#unfollow(name);
      this.#follow(resource, last);
    }
    this.#publish(gone.length > 0 ? "changed" : "unchanged");
  }

  #follow(resource: RemoteCluster, remembered: Remembered | undefined): void {
    const followed = new FollowedCluster({ ...this.#options, resource, remembered });
    const { name } = resource.meta;
    const { told } = followed.connection;
    this.#followed.set(name, followed);
    told.onChange((services) => {
      if (this.#followed.get(name) !== followed) return; // another has taken its place
      const heardAt = followed.connection.heardAt;
      if (services === undefined) this.#memory.forget(name);
      else if (heardAt !== undefined) this.#memory.remember(name, { services, heardAt });
      this.#publish("unchanged");
    });
  }

  #unfollow(name: string): void {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    this.#followed.delete(name);
    const closing = followed.connection.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** What is still true after the aliases may have changed, or a cluster has spoken. */
  #publish(others: "changed" | "unchanged"): void {
    const settings = meshSettingsOf(this.#options.resources.current);
    const inOrder = this.#inOrder();
    const changes = inOrder.map((followed) => followed.admit(settings));
    if ([others, ...changes].includes("changed"))
      this.#services.set(inOrder.map(({ services }) => services));
  }

  #confirm(): void {
    for (const [name, { connection }] of this.#followed) {
      const { heardAt } = connection;
      const isKnown = connection.told.current !== undefined && heardAt !== undefined;
      if (isKnown && connection.state.phase === "connected") this.#memory.confirm(name, heardAt);
    }
  }

  #inOrder(): readonly FollowedCluster[] {
    return [...this.#followed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  }
}

function wantedOf({ resources }: RemoteClustersOptions): readonly RemoteCluster[] {
  return ofKind(resources.current, "RemoteCluster");
}

function isSame(a: RemoteCluster, b: RemoteCluster): boolean {
  return formatServer(a.server) === formatServer(b.server) && a.trustDomain === b.trustDomain;
}

/** Where only its control plane has moved, what it said is still good. */
function lastOf({ connection }: FollowedCluster, next: RemoteCluster): Remembered | undefined {
  const { heardAt, told, resource } = connection;
  if (told.current === undefined || heardAt === undefined) return undefined;
  if (resource.trustDomain !== next.trustDomain) return undefined;
  return { services: told.current, heardAt };
}
