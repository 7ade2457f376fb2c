/**
 * Under which series requests are counted: found by what stays from request to request, the connection and the one
 * onwards, so that no label is looked at for each.
 */
import type { Destination, WorkloadView } from "../policy/workload-view.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RequestSeries } from "../telemetry/request-metrics.ts";
import { callLabels, identitiesOf } from "./call-labels.ts";
import type { Outcome } from "./exchange.ts";
import type { CallFacts } from "./recorder.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";

export interface RequestCountsOptions {
  readonly view: () => WorkloadView;
  readonly metrics: Pick<Metrics, "requestSeries">;
}

type Counted = Pick<Outcome, "status" | "flags" | "ends">;

/** Beyond it they are looked up anew. */
const MAX_GROUPS = 1_024;

export class RequestCounts {
  readonly #options: RequestCountsOptions;
  /** The workload for whose labels all below are. */
  #workload: WorkloadView["workload"] | undefined = undefined;
  /** There are few, and many connections. */
  readonly #groups = new Map<string, SeriesGroup>();
  #byCall = new WeakMap<CallFacts, SeriesGroup>();
  #byEnds = new WeakMap<UpstreamEnds, OnwardGroup>();

  constructor(options: RequestCountsOptions) {
    this.#options = options;
  }

  series(call: CallFacts, counted: Counted): RequestSeries {
    const { workload } = this.#options.view();
    if (workload !== this.#workload) this.#follow(workload);
    return this.#groupOf(call, counted.ends).series(call, counted);
  }

  #follow(workload: WorkloadView["workload"]): void {
    this.#workload = workload;
    this.#groups.clear();
    this.#byCall = new WeakMap();
    this.#byEnds = new WeakMap();
  }

  /** Who is called is told by the connection onwards, on the caller's side; everything else by the call. */
  #groupOf(call: CallFacts, ends: UpstreamEnds | undefined): SeriesGroup {
    if (call.reporter === "destination" || ends?.mutualTls === undefined) {
      return this.#byCall.get(call) ?? this.#learn(call);
    }
    const { destination, cluster } = call;
    const known = this.#byEnds.get(ends);
    if (known !== undefined && known.destination === destination && known.cluster === cluster) {
      return known.group;
    }
    const group = this.#find(call, ends);
    this.#byEnds.set(ends, { destination, cluster, group });
    return group;
  }

  #learn(call: CallFacts): SeriesGroup {
    const group = this.#find(call, undefined);
    this.#byCall.set(call, group);
    return group;
  }

  #find(call: CallFacts, ends: UpstreamEnds | undefined): SeriesGroup {
    const { source, destination } = identitiesOf(call, ends) ?? {};
    const key = `${call.reporter} ${call.cluster} ${call.destination?.host} ${source?.id} ${destination}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= MAX_GROUPS) this.#groups.clear();
    const group = new SeriesGroup(this.#options);
    this.#groups.set(key, group);
    return group;
  }
}

/** For one connection onwards, of the destination last called by it. */
interface OnwardGroup {
  readonly destination: Destination | undefined;
  readonly cluster: string | undefined;
  readonly group: SeriesGroup;
}

/** Flags of most requests. */
const UNREMARKABLE = "-";
/** Istio's, where the caller saw none. */
const NO_STATUS = 0;

/** All series of calls between the same two parties: flags are few, and codes have three digits. */
class SeriesGroup {
  readonly #options: RequestCountsOptions;
  /** By status. */
  readonly #unremarkable = new Map<number, RequestSeries>();
  readonly #remarkable = new Map<string, Map<number, RequestSeries>>();

  constructor(options: RequestCountsOptions) {
    this.#options = options;
  }

  series(call: CallFacts, counted: Counted): RequestSeries {
    const responseCode = counted.status ?? NO_STATUS;
    const byStatus = this.#of(counted.flags);
    const known = byStatus.get(responseCode);
    if (known !== undefined) return known;
    const { view, metrics } = this.#options;
    const { workload } = view();
    const { flags, ends } = counted;
    const labels = { ...callLabels(call, { workload, flags, ends }), responseCode };
    const series = metrics.requestSeries(labels);
    byStatus.set(responseCode, series);
    return series;
  }

  #of(flags: string): Map<number, RequestSeries> {
    if (flags === UNREMARKABLE) return this.#unremarkable;
    const known = this.#remarkable.get(flags);
    if (known !== undefined) return known;
    const byStatus = new Map<number, RequestSeries>();
    this.#remarkable.set(flags, byStatus);
    return byStatus;
  }
}
