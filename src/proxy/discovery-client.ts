/**
 * Keeps a sidecar's view current: subscribes with the workload's certificate, refuses what it cannot read, comes back
 * after every interruption, and meanwhile keeps the last good view.
 */
import { once } from "node:events";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { VIEW_CHANGES_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Backoff, backoffDelay } from "../runtime/retry.ts";
import { WakeablePause } from "../runtime/wakeable-pause.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import {
  ViewDiscovery,
  type WatchViewsResponse,
} from "../wire/gen/hauberk/discovery/v1/workload_view_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import {
  unpackView,
  VIEW_CHANGES,
  VIEW_CHANGES_HEADER,
  type ViewMessage,
} from "../wire/workload-view-message.ts";
import { changedView, type HeldView } from "./changed-view.ts";
import { decodeWorkloadView } from "./decode-workload-view.ts";
import { InvalidWorkloadViewError } from "./view-fields.ts";
import type { WorkerPlace } from "./workers/worker-place.ts";

const BACKOFF: Backoff = { baseMs: 100, maxMs: 5_000 };
/** A stream that held so long counts as a success: the next backoff starts anew. */
const SETTLED_MS = 5_000;
const MAX_VIEW_BYTES = 16 * 1024 * 1024;

export interface DiscoveryClientOptions {
  /** `host:port` */
  readonly controlPlane: string;
  /** The view to ask for, `namespace/pod`. */
  readonly name: string;
  /** Which of the sidecar's processes asks; absent: it is one. */
  readonly place?: WorkerPlace | undefined;
  /** Of a view that it has acknowledged: whether it wants all of the next, or the fields that changed. Absent: all. */
  readonly updates?: "whole" | "fields";
  /** Each connection uses the certificate that is current when it starts; a new one opens a new connection. */
  readonly svid: Watched<X509Svid | undefined>;
  /** PEM of the roots that the control plane's certificate must chain to, as known when a connection starts. */
  readonly rootsPem: () => readonly string[];
  readonly log: Log;
  /** Hears of a certificate that the control plane does not take, or takes no more. */
  readonly onRefused?: (svid: X509Svid) => void;
  /** Of a view that was read, before anybody hears of it; the one before stays until then. What it throws refuses the view. */
  readonly beforehand?: (view: WorkloadView, signal: AbortSignal) => Promise<void>;
  /**
   * Resolves once a view is in force everywhere it must be; it is acknowledged only then. Absent: as soon as it is read.
   * What it throws refuses the view.
   */
  readonly inForce?: (view: WorkloadView, signal: AbortSignal) => Promise<void>;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Stops the client. */
  readonly signal: AbortSignal;
  readonly serverName?: string;
}

export interface DiscoveryClient {
  /** The last good view; undefined before the first. */
  readonly views: Watched<WorkloadView | undefined>;
  /** Resolves once the client has stopped. */
  readonly stopped: Promise<void>;
}

export function startDiscoveryClient(options: DiscoveryClientOptions): DiscoveryClient {
  const subscriber = new ViewSubscriber(options);
  return { views: subscriber.views, stopped: subscriber.run() };
}

class ViewSubscriber {
  readonly views: WatchedValue<WorkloadView | undefined>;
  readonly #options: DiscoveryClientOptions;
  /** What was acknowledged last, named when coming back; absent when the server says that the view is gone. */
  #held: HeldView | undefined;

  constructor(options: DiscoveryClientOptions) {
    this.#options = options;
    this.views = new WatchedValue<WorkloadView | undefined>(undefined);
  }

  async run(): Promise<void> {
    const { log, random, signal } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAt = performance.now();
      const shown = this.#options.svid.current;
      const error = await this.#followOnce();
      if (signal.aborted) return;
      if (shown !== undefined && shown !== this.#options.svid.current) {
        log.info("discovery stream is opened anew with the new certificate");
        failures = -1;
        continue;
      }
      if (performance.now() - startedAt >= SETTLED_MS) failures = 0;
      const delayMs = backoffDelay(failures, BACKOFF, random());
      log.warn("discovery stream ended", { error, retryInMs: Math.round(delayMs) });
      await this.#pauseBeforeNext(delayMs);
    }
  }

  /** A new certificate may be what was missing. */
  async #pauseBeforeNext(delayMs: number): Promise<void> {
    const { svid, signal } = this.#options;
    const pause = new WakeablePause();
    const stopWatching = svid.onChange(() => pause.wake());
    await abortable(pause.last(delayMs, signal), signal);
    stopWatching();
  }

  /** @returns why it ended */
  async #followOnce(): Promise<string> {
    const svid = await this.#presentSvid();
    try {
      if (svid !== undefined) await this.#follow(svid);
      return "the control plane closed the stream";
    } catch (error) {
      const isRefused = error instanceof GrpcStatusError && error.status === "UNAUTHENTICATED";
      if (isRefused && svid !== undefined) this.#options.onRefused?.(svid);
      return describeError(error);
    }
  }

  async #presentSvid(): Promise<X509Svid | undefined> {
    const { svid, signal } = this.#options;
    if (svid.current !== undefined || signal.aborted) return svid.current;
    const arrived = new AbortController();
    const stopWatching = svid.onChange((value) => {
      if (value !== undefined) arrived.abort();
    });
    await once(AbortSignal.any([arrived.signal, signal]), "abort");
    stopWatching();
    return svid.current;
  }

  async #follow(svid: X509Svid): Promise<void> {
    const { controlPlane, serverName = CONTROL_PLANE_NAME, updates, signal } = this.#options;
    const client = new GrpcClient({
      address: controlPlane,
      serverName,
      rootsPem: this.#options.rootsPem(),
      certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
      maxReceiveBytes: MAX_VIEW_BYTES,
    });
    const headers = { [VIEW_CHANGES_HEADER]: VIEW_CHANGES };
    const method = ViewDiscovery.method.watchViews;
    const stream = client.stream(method, updates === "fields" ? headers : {});
    signal.addEventListener("abort", stream.cancel);
    // The control plane sees by the certificate of the stream who has renewed; the held version spares it the view.
    const stopWatching = this.#options.svid.onChange(stream.cancel);
    try {
      stream.send(this.#subscription());
      for await (const response of stream.responses)
        stream.send(await this.#answer(response, svid));
    } finally {
      signal.removeEventListener("abort", stream.cancel);
      stopWatching();
      stream.cancel();
      client.close();
    }
  }

  #subscription() {
    const { name, place } = this.#options;
    const version = this.#held?.version;
    return {
      subscribe: [name],
      heldVersions: version === undefined ? {} : { [name]: version },
      ...(place && { process: { number: place.number, of: place.of } }),
    };
  }

  /** Takes a response over, or refuses it as a whole and keeps what there was. */
  async #answer(response: WatchViewsResponse, svid: X509Svid) {
    const answer = { responseNonce: response.nonce };
    try {
      await this.#accept(response, svid);
      return answer;
    } catch (error) {
      const message = describeError(error);
      this.#options.log.error("view refused, the last good one stays", { error: message });
      return { ...answer, refusal: message };
    }
  }

  async #accept(response: WatchViewsResponse, svid: X509Svid): Promise<void> {
    const { name, log, beforehand, inForce, signal } = this.#options;
    const sent = readView(response, { name, svid, held: this.#held });
    if (sent !== undefined) {
      await beforehand?.(sent.view, signal);
      this.views.set(sent.view);
      await inForce?.(sent.view, signal);
      this.#held = sent;
      log.info("view received", { view: name, version: sent.version });
    } else if (response.removed.includes(name)) {
      this.#held = undefined;
      log.warn("the control plane has no view for this workload", { view: name });
    }
  }
}

/** @throws InvalidWorkloadViewError, UnreadableViewError */
function readView(
  { views }: WatchViewsResponse,
  {
    name,
    svid,
    held,
  }: { readonly name: string; readonly svid: X509Svid; readonly held: HeldView | undefined },
): HeldView | undefined {
  const [sent, ...others] = views;
  if (sent === undefined) return undefined;
  if (others.length > 0 || sent.name !== name)
    throw new InvalidWorkloadViewError("another view than the one asked for was sent");
  const view = unpacked(sent.view, held);
  const { workload } = view;
  if (`${workload.namespace}/${workload.name}` !== name || workload.identity !== svid.id)
    throw new InvalidWorkloadViewError(`the view is for ${workload.identity}, not for us`);
  return { view, version: sent.version };
}

function unpacked(message: ViewMessage | undefined, held: HeldView | undefined): WorkloadView {
  const packed = unpackView(message);
  return packed.format === VIEW_CHANGES_FORMAT
    ? changedView(packed, held)
    : decodeWorkloadView(packed);
}

/** Waiting that ends early, without an error, once `signal` aborts. */
async function abortable(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await waiting;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
