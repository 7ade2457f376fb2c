/**
 * Gives each Envoy the resources that its pod's view comes to, and every change of them, by Envoy's aggregated discovery
 * service in both of its forms. What makes and encodes resources is loaded when the first proxy comes: a mesh without any pays
 * nothing for it.
 */
import type { AuthenticateCaller, AuthenticatedCaller } from "../../ca/caller.ts";
import type { AuthorityTrust } from "../../ca/rotation.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";
import {
  aggregatedDiscovery,
  type DiscoveryBytesStream,
} from "../../wire/envoy/discovery-streams.ts";
import type { Caller, GrpcService } from "../../wire/grpc-service.ts";
import { GrpcStatusError } from "../../wire/grpc-status.ts";
import type { ProxyRefusal } from "../refused-resources.ts";
import { rehearseSoon } from "../rehearsed-change.ts";
import { PodPlaces } from "./pod-places.ts";
import type { ProxyMaterial } from "./proxy-material.ts";
import { KnownSettings } from "./proxy-node.ts";
import type { ProxyPushes } from "./proxy-pushes.ts";
import { ProxyStream } from "./proxy-stream.ts";
import type { ProxyStreamStatus } from "./proxy-stream-status.ts";
import { type EndTurn, ProxyTurns } from "./proxy-turns.ts";
import { type ProxyWarnings, proxyWarnings } from "./proxy-warnings.ts";
import { StreamAllowance, StreamsSpentError } from "./stream-allowance.ts";

/** Proxies that are sent all they are to have at the same time. */
const TURNS = 16;
/** After which the next may come, whether or not the one before has answered all. */
const TURN_MS = 5_000;
/** Proofs are judged anew that often, and whenever trust changes: a stream does not outlive what opened it. */
const PROOF_MS = 30_000;

export interface AggregatedDiscoveryOptions {
  /** Keyed `namespace/pod`. */
  readonly views: Watched<ReadonlyMap<string, WorkloadView>>;
  readonly authenticate: AuthenticateCaller;
  readonly trust: Watched<AuthorityTrust>;
  /** By which streams are told of changes; shared with streams of other kinds. */
  readonly pushes: ProxyPushes;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AggregatedDiscovery {
  readonly service: GrpcService;
  /** In the order in which streams were opened. */
  status(): readonly ProxyStreamStatus[];
  /** Of what proxies have been sent, what they refuse now. */
  refusals(): readonly ProxyRefusal[];
  /** Whether an Envoy is served that judges in this pod, `namespace/pod`. */
  serves(pod: string): boolean;
  close(): void;
}

export function openAggregatedDiscovery(options: AggregatedDiscoveryOptions): AggregatedDiscovery {
  return new Discovery(options);
}

class Discovery implements AggregatedDiscovery {
  readonly service: GrpcService;
  readonly #options: AggregatedDiscoveryOptions;
  /** With the caller who opened it. */
  readonly #streams: Map<ProxyStream, Caller> = new Map();
  readonly #settings = new KnownSettings();
  readonly #allowance: StreamAllowance;
  readonly #places = new PodPlaces();
  readonly #turns = new ProxyTurns(TURNS);
  readonly #ofPod: Map<string, Set<ProxyStream>> = new Map();
  readonly #warnings: ProxyWarnings;
  readonly #stops: readonly (() => void)[];
  #material: Promise<ProxyMaterial> | undefined;

  constructor(options: AggregatedDiscoveryOptions) {
    this.#options = options;
    this.#allowance = new StreamAllowance(options.clock);
    this.#warnings = proxyWarnings(options.log);
    this.service = aggregatedDiscovery(
      {
        delta: (stream) => this.#serve(stream, "delta"),
        stateOfTheWorld: (stream) => this.#serve(stream, "stateOfTheWorld"),
      },
      options.log,
    );
    const proofs = setInterval(() => this.#judgeProofs(), PROOF_MS).unref();
    this.#stops = [
      options.pushes.add(() => this.#streams.keys()),
      options.trust.onChange(() => this.#judgeProofs()),
      () => clearInterval(proofs),
    ];
  }

  status(): readonly ProxyStreamStatus[] {
    return [...this.#streams.keys()].map(({ status }) => status);
  }

  refusals(): readonly ProxyRefusal[] {
    return [...this.#streams.keys()].flatMap(({ refusals }) => refusals);
  }

  serves(pod: string): boolean {
    return [...(this.#ofPod.get(pod) ?? [])].some(({ isEnvoy }) => isEnvoy);
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  async #serve(stream: DiscoveryBytesStream, form: "delta" | "stateOfTheWorld"): Promise<void> {
    const caller = await this.#authenticate(stream.caller);
    const pod = `${caller.pod.namespace}/${caller.pod.podName}`;
    this.#allow(caller, stream.caller);
    this.#places.take(pod, stream.signal);
    const material = await this.#load();
    let endTurn: EndTurn = () => {};
    let late: NodeJS.Timeout | undefined;
    const proxy = new ProxyStream({
      caller,
      stream,
      protocol: material.protocols[form],
      pack: material.packingFor(stream.caller),
      settings: this.#settings,
      viewOf: (pod) => this.#options.views.current.get(pod),
      resourcesOf: material.resourcesOf,
      authorizedBy: material.authorizedBy,
      endpointsOf: material.endpointsOf,
      authorizationWay: material.authorizationWay,
      awaitTurn: async () => {
        endTurn = await this.#turns.take(pod, stream.signal);
        late = setTimeout(endTurn, TURN_MS).unref();
      },
      onSettled: () => endTurn(),
      warnings: this.#warnings,
    });
    this.#enter(proxy, stream.caller);
    try {
      await proxy.serve();
    } finally {
      this.#leave(proxy);
      clearTimeout(late);
      endTurn();
    }
  }

  #enter(proxy: ProxyStream, caller: Caller): void {
    this.#streams.set(proxy, caller);
    const known = this.#ofPod.get(proxy.pod) ?? new Set();
    this.#ofPod.set(proxy.pod, known.add(proxy));
  }

  #leave(proxy: ProxyStream): void {
    this.#streams.delete(proxy);
    const known = this.#ofPod.get(proxy.pod);
    known?.delete(proxy);
    if (known?.size === 0) this.#ofPod.delete(proxy.pod);
  }

  async #authenticate(caller: Caller): Promise<AuthenticatedCaller> {
    try {
      return await this.#options.authenticate(caller);
    } catch (error) {
      const reason = describeError(error);
      this.#warnings.unproven.warn({ remote: caller.remoteAddress, reason });
      throw new GrpcStatusError("UNAUTHENTICATED", "a workload certificate or token is required");
    }
  }

  /** @throws GrpcStatusError whose details begin with a stable code */
  #allow(caller: AuthenticatedCaller, { remoteAddress: remote }: Caller): void {
    try {
      this.#allowance.take(caller);
    } catch (error) {
      if (!(error instanceof StreamsSpentError)) throw error;
      const { code, message } = error;
      this.#warnings.restless.warn({ caller: caller.id, remote, reason: message });
      throw new GrpcStatusError("RESOURCE_EXHAUSTED", `${code}: ${message}`, { cause: error });
    }
  }

  #load(): Promise<ProxyMaterial> {
    this.#material ??= this.#loadOnce();
    return this.#material;
  }

  async #loadOnce(): Promise<ProxyMaterial> {
    const { log } = this.#options;
    const [{ openProxyMaterial }, { rehearseTranslation }] = await Promise.all([
      import("./proxy-material.ts"),
      import("./rehearsed-translation.ts"),
    ]);
    rehearseSoon(() => rehearseTranslation(openProxyMaterial(log)), log);
    return openProxyMaterial(log);
  }

  #judgeProofs(): void {
    for (const [proxy, caller] of this.#streams) {
      this.#authenticate(caller).catch((error: unknown) => proxy.end(error));
    }
  }
}
