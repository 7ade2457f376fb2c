/**
 * Gives each embedded sidecar its own view, and every change of it. A sidecar sees the view of its verified identity and no
 * other (CA-56): views tell who may call whom, and hold keys of gateways, which is nobody else's business. So they are for pods
 * that run, with certificates of this control plane's own: neither for whoever kept the key of a pod that is gone, nor for
 * the workloads of another mesh under the same root.
 */
import type { X509Certificate } from "node:crypto";
import type { CallerAuthenticationOptions, ProvenPod } from "../ca/caller.ts";
import type { IssueLog } from "../ca/issue-log.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import type { TokenBearer } from "../ca/service-account-tokens.ts";
import { parseWorkloadIdentity, type SpiffeId } from "../identity/spiffe-id.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import {
  ViewDiscovery,
  type WatchViewsRequest,
} from "../wire/gen/hauberk/discovery/v1/workload_view_pb.ts";
import { bidirectional, type GrpcService, grpcService } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { VIEW_CHANGES, VIEW_CHANGES_HEADER } from "../wire/workload-view-message.ts";
import type { ProxyPushes, PushedStream } from "./aggregated-discovery/proxy-pushes.ts";
import { type PresentedCertificate, presentedCertificate } from "./presented-certificate.ts";
import { type ProcessPlace, processPlace } from "./process-place.ts";
import { ProofLifetime } from "./proof-lifetime.ts";
import { trustFingerprint } from "./trust-fingerprint.ts";
import { viewResponse } from "./view-response.ts";
import { ViewStreams } from "./view-streams.ts";
import {
  type SubscriptionStatus,
  ViewSubscriptions,
  type ViewUpdate,
} from "./view-subscriptions.ts";
import { type ViewWarnings, viewWarnings } from "./view-warnings.ts";

const MAX_SUBSCRIPTIONS = 8;
/** A client that does not answer an update by then is disconnected, so that it comes back and is seen. */
const ANSWER_TIMEOUT_MS = 30_000;
/** How long a client whose certificate is trusted no more may take to hear of it, and of the lists that others must know. */
const LAST_VIEW_MS = 3_000;
const MAX_LOGGED_ERROR_CHARACTERS = 1_000;

export interface DiscoveryServiceOptions {
  /** Keyed `namespace/pod`. */
  readonly views: Watched<ReadonlyMap<string, WorkloadView>>;
  readonly trustDomain: string;
  /** By which a certificate is good, and its stream goes on. */
  readonly trust: Watched<AuthorityTrust>;
  /** For which pod a certificate was issued, by its serial number and its key. */
  readonly holderOf: IssueLog["holderOf"];
  /** Whether exactly this pod runs now. */
  readonly isLivePod: CallerAuthenticationOptions["isLivePod"];
  /** By which streams are told of changes; shared with streams of other kinds. */
  readonly pushes: ProxyPushes;
  /** Whether not the subscriber judges in this pod, but an Envoy that is told by a stream of its own. */
  readonly isJudgedByEnvoy: (pod: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** One subscription of one connected sidecar. */
export interface SubscriberStatus extends SubscriptionStatus {
  readonly principal: SpiffeId;
  readonly remoteAddress: string;
  /** With which it opened its stream. */
  readonly certificate: PresentedCertificate;
  /** For which that was issued; absent where it is not known: then it speaks for no pod. */
  readonly pod?: TokenBearer;
  /** Which of the sidecar's processes it says it is; absent where it says nothing. */
  readonly place?: ProcessPlace;
}

export interface DiscoveryService {
  readonly service: GrpcService;
  /** In the order in which streams were opened. */
  status(): readonly SubscriberStatus[];
}

export function discoveryService(options: DiscoveryServiceOptions): DiscoveryService {
  const streams = new Set<DiscoveryStream>();
  const warnings = viewWarnings(options.log);
  const places = new ViewStreams(options, warnings);
  options.pushes.add(() => streams);
  const service = grpcService(ViewDiscovery, {
    watchViews: bidirectional(async ({ caller, requests, signal, send }) => {
      const takesChanges = caller.headers(VIEW_CHANGES_HEADER).includes(VIEW_CHANGES);
      const stream = new DiscoveryStream(places.take(caller, signal), {
        ...options,
        warnings,
        remoteAddress: caller.remoteAddress,
        send: (update) => send(viewResponse(update, takesChanges)),
      });
      streams.add(stream);
      try {
        await stream.serve(requests, signal);
      } finally {
        streams.delete(stream);
      }
    }, options.log),
  });
  return { service, status: () => [...streams].flatMap((stream) => stream.status) };
}

interface StreamOptions extends DiscoveryServiceOptions {
  readonly warnings: ViewWarnings;
  readonly remoteAddress: string;
  readonly send: (update: ViewUpdate) => void;
}

const NOTHING: ReadonlyMap<string, WorkloadView> = new Map();

class DiscoveryStream implements PushedStream {
  readonly #principal: SpiffeId;
  readonly #pod: TokenBearer;
  readonly #proof: X509Certificate;
  readonly #certificate: PresentedCertificate;
  readonly #options: StreamOptions;
  readonly #subscriptions = new ViewSubscriptions();
  /** By name, those of which all is sent or on its way. */
  #lookedAt: ReadonlyMap<string, WorkloadView | undefined> = new Map();
  #isOver = false;
  #place: ProcessPlace | undefined;
  readonly #failure = new AbortController();
  #answerTimer: NodeJS.Timeout | undefined;
  #lastViewTimer: NodeJS.Timeout | undefined;
  /** Why the stream ends once the client has the newest trust. */
  #ending: unknown;

  constructor({ id, pod, certificate }: ProvenPod, options: StreamOptions) {
    this.#options = options;
    this.#principal = id;
    this.#pod = pod;
    this.#proof = certificate;
    this.#certificate = presentedCertificate(this.#proof);
  }

  get status(): readonly SubscriberStatus[] {
    return this.#subscriptions.status.map((subscription) => ({
      ...subscription,
      principal: this.#principal,
      remoteAddress: this.#options.remoteAddress,
      certificate: this.#certificate,
      pod: this.#pod,
      ...(this.#place && { place: this.#place }),
    }));
  }

  async serve(requests: AsyncIterable<WatchViewsRequest>, signal: AbortSignal): Promise<void> {
    const failure = this.#failure.signal;
    const failed = new Promise<never>((_, reject) => {
      failure.addEventListener("abort", () => reject(failure.reason));
    });
    const lifetime = new ProofLifetime(this.#proof, this.#options);
    const endSoon = (): void => this.#endOnceTold(lifetime.signal.reason);
    if (lifetime.signal.aborted) endSoon();
    else lifetime.signal.addEventListener("abort", endSoon);
    const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    try {
      await Promise.race([this.#receive(requests), failed, gone]);
    } finally {
      this.#isOver = true;
      lifetime.close();
      clearTimeout(this.#answerTimer);
      clearTimeout(this.#lastViewTimer);
    }
  }

  get isBehind(): boolean {
    const { current } = this.#options.views;
    return this.#subscriptions.names.some((name) => current.get(name) !== this.#lookedAt.get(name));
  }

  pushFirst(): void {
    const { views, isJudgedByEnvoy } = this.#options;
    const isUrgent = this.#subscriptions.names.some((name) => {
      const [next, before] = [views.current.get(name), this.#lookedAt.get(name)];
      // An agent passes trust on; policies it needs for words alone, and its Envoy has them from elsewhere.
      return next !== before && (!isJudgedByEnvoy(name) || next?.trust !== before?.trust);
    });
    if (isUrgent) this.push();
  }

  async #receive(requests: AsyncIterable<WatchViewsRequest>): Promise<void> {
    for await (const request of requests) {
      this.#place ??= processPlace(request.process);
      if (request.responseNonce !== "") this.#takeAnswer(request);
      this.#endIfTold();
      for (const name of request.unsubscribe) this.#subscriptions.unsubscribe(name);
      for (const name of request.subscribe) this.#subscribe(name, request.heldVersions[name]);
      this.#push();
    }
  }

  #subscribe(name: string, heldVersion: string | undefined): void {
    const names = this.#subscriptions.names;
    if (!names.includes(name) && names.length >= MAX_SUBSCRIPTIONS)
      throw new GrpcStatusError("RESOURCE_EXHAUSTED", `at most ${MAX_SUBSCRIPTIONS} subscriptions`);
    this.#verifyMaySee(name);
    this.#subscriptions.subscribe(name, heldVersion);
  }

  /** A view that does not exist yet may be waited for in the caller's own namespace: it is checked once it is there. */
  #verifyMaySee(name: string): void {
    const identity = this.#options.views.current.get(name)?.workload.identity;
    const { namespace } = parseWorkloadIdentity(this.#principal);
    if (identity === this.#principal) return;
    if (identity === undefined && name.startsWith(`${namespace}/`)) return;
    this.#options.warnings.anothers.warn({
      caller: this.#principal,
      remote: this.#options.remoteAddress,
      view: name,
      viewIdentity: identity,
    });
    throw new GrpcStatusError("PERMISSION_DENIED", `${this.#principal} may not see this view`);
  }

  #takeAnswer({ responseNonce, refusal }: WatchViewsRequest): void {
    const error = refusal?.slice(0, MAX_LOGGED_ERROR_CHARACTERS);
    const answer = this.#subscriptions.answer(responseNonce, error);
    if (answer.verdict === "stale") return;
    clearTimeout(this.#answerTimer);
    for (const [view, version] of answer.versions) {
      const fields = { caller: this.#principal, view, version };
      if (answer.verdict === "acknowledged") this.#options.log.info("view acknowledged", fields);
      else this.#options.log.error("view refused by the sidecar", { ...fields, error });
    }
  }

  /** Whoever keeps a stream open when its pod is gone is told that there is nothing more for it. */
  get #views(): ReadonlyMap<string, WorkloadView> {
    const { views, isLivePod } = this.#options;
    const { namespace, podName: name, podUid: uid, serviceAccount } = this.#pod;
    return isLivePod({ namespace, name, uid, serviceAccount }) ? views.current : NOTHING;
  }

  #push(): void {
    const current = this.#views;
    const { names } = this.#subscriptions;
    for (const name of names) this.#verifyMaySee(name);
    this.#lookedAt = new Map(names.map((name) => [name, this.#options.views.current.get(name)]));
    const update = this.#subscriptions.nextUpdate(current);
    if (update === undefined) return;
    this.#options.send(update);
    this.#answerTimer = setTimeout(() => this.#timeOut(), ANSWER_TIMEOUT_MS);
  }

  push(): void {
    if (this.#isOver) return;
    try {
      this.#push();
    } catch (error) {
      this.#failure.abort(error);
    }
  }

  #timeOut(): void {
    this.#options.warnings.silent.warn({ caller: this.#principal });
    this.#failure.abort(new GrpcStatusError("DEADLINE_EXCEEDED", "an update was not answered"));
  }

  /**
   * A stream must not outlive the proof it was opened with. Whoever is trusted no more for a list, or a root, is told of those
   * before: it may be an honest sidecar, whose peers are to be judged by them, and which finds no way back here.
   */
  #endOnceTold(reason: unknown): void {
    this.#ending = reason;
    this.#lastViewTimer = setTimeout(() => this.#end(reason), LAST_VIEW_MS);
    this.#endIfTold();
  }

  #endIfTold(): void {
    if (this.#ending === undefined) return;
    const { trust, clock } = this.#options;
    const newest = trustFingerprint(trust.current);
    const isTold = this.#subscriptions.status.every(({ trustAcked }) => trustAcked === newest);
    if (isTold || clock.now() >= this.#certificate.notAfter) this.#end(this.#ending);
  }

  #end(reason: unknown): void {
    if (this.#failure.signal.aborted) return;
    this.#options.log.warn("stream ended with its certificate", {
      caller: this.#principal,
      serial: this.#certificate.serialNumber,
      reason: describeError(reason),
    });
    this.#failure.abort(reason);
  }
}
