/**
 * One discovery stream of one proxy. A proxy sees what the pod sees whose proof it has shown, and nothing else (CA-56): its
 * resources tell who may call whom, which is nobody else's business.
 */
import type { AuthenticatedCaller } from "../../ca/caller.ts";
import type { ProxySettings } from "../../envoy/proxy-settings.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { ProxyNode } from "../../wire/envoy/discovery-messages.ts";
import type { DiscoveryBytesStream } from "../../wire/envoy/discovery-streams.ts";
import { GrpcStatusError } from "../../wire/grpc-status.ts";
import type { ProxyRefusal } from "../refused-resources.ts";
import type { EarlyAuthorization } from "./early-authorization.ts";
import type { EarlyEndpoints } from "./early-endpoints.ts";
import type { ProxyResources } from "./encoded-resources.ts";
import {
  type AuthorizationWay,
  ProxyConversation,
  type ProxyResponse,
} from "./proxy-conversation.ts";
import { type KnownSettings, podOfNode } from "./proxy-node.ts";
import type { ProxyProtocol, ProxyRequest, WrittenResponse } from "./proxy-protocol.ts";
import { type ProxyStreamStatus, statusOf } from "./proxy-stream-status.ts";
import type { ProxyWarnings } from "./proxy-warnings.ts";
import { LISTENERS } from "./resource-types.ts";

/** A proxy that does not answer by then is disconnected, so that it comes back and is seen. */
const ANSWER_TIMEOUT_MS = 30_000;
const MAX_LOGGED_ERROR_CHARACTERS = 1_000;
/** Of what a proxy says it is. */
const MAX_TOLD_CHARACTERS = 200;
/** Of one type: in one request, and in all together. */
const MAX_NAMES = 65_536;
/** Names of Envoy's resources are below 300. */
const MAX_NAME_CHARACTERS = 2_048;
/** Of all types together, since names are kept as they were sent: ten thousand of a hundred, four times. */
const MAX_KEPT_CHARACTERS = 4_194_304;

export interface ProxyStreamOptions {
  readonly caller: AuthenticatedCaller;
  readonly stream: DiscoveryBytesStream;
  readonly protocol: ProxyProtocol;
  /** As the proxy's side can read it. */
  readonly pack: (response: WrittenResponse) => Uint8Array;
  readonly settings: KnownSettings;
  /** Of the pod; undefined: there is none, or none yet. */
  readonly viewOf: (pod: string) => WorkloadView | undefined;
  readonly resourcesOf: (
    view: WorkloadView,
    proxy: { readonly settings: ProxySettings; readonly before?: ProxyResources | undefined },
  ) => ProxyResources;
  readonly authorizedBy: EarlyAuthorization;
  readonly endpointsOf: EarlyEndpoints;
  readonly authorizationWay: AuthorizationWay;
  /** Resolves when it is the proxy's turn to be sent what it is to have; asked when its first request is there. */
  readonly awaitTurn: () => Promise<void>;
  /** Called once the proxy has all that it was to have. */
  readonly onSettled: () => void;
  readonly warnings: ProxyWarnings;
}

export class ProxyStream {
  /** `namespace/pod` */
  readonly pod: string;
  readonly #options: ProxyStreamOptions;
  readonly #conversation: ProxyConversation;
  readonly #failure = new AbortController();
  #settings: ProxySettings | undefined;
  #view: WorkloadView | undefined;
  /** Resolves with the first view: a control plane that has just begun may not know yet what runs, and is silent till then. */
  readonly #known: Promise<void>;
  #foundOut: () => void = () => {};
  #answerTimer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: ProxyStreamOptions) {
    const { namespace, podName } = options.caller.pod;
    this.#options = options;
    this.pod = `${namespace}/${podName}`;
    this.#conversation = new ProxyConversation(options.authorizationWay);
    this.#known = new Promise((resolve) => {
      this.#foundOut = resolve;
    });
  }

  get status(): ProxyStreamStatus {
    const { caller, stream } = this.#options;
    return statusOf(this.#conversation, {
      pod: this.pod,
      identity: caller.id,
      remoteAddress: stream.caller.remoteAddress,
    });
  }

  get refusals(): readonly ProxyRefusal[] {
    return this.#conversation.subscriptions.flatMap(({ type, error }) =>
      error === undefined ? [] : [{ pod: this.pod, what: type.called, error }],
    );
  }

  /** And no gRPC program; false before it has said what it is. */
  get isEnvoy(): boolean {
    return this.#settings !== undefined && this.#settings.generator !== "grpc";
  }

  /** Whether there is something new for it. */
  get isBehind(): boolean {
    return this.#settings !== undefined && this.#options.viewOf(this.pod) !== this.#view;
  }

  /** Resolves when the proxy is gone. @throws GrpcStatusError */
  async serve(): Promise<void> {
    const { stream } = this.#options;
    const failure = this.#failure.signal;
    const failed = new Promise<never>((_, reject) => {
      failure.addEventListener("abort", () => reject(failure.reason));
    });
    const gone = new Promise<void>((resolve) => {
      stream.signal.addEventListener("abort", () => resolve());
    });
    try {
      await Promise.race([this.#receive(), failed, gone]);
    } finally {
      this.#isOver = true;
      clearTimeout(this.#answerTimer);
    }
  }

  /** Sends what has changed of who may call, and where services are, ahead of all else. What goes wrong ends the stream. */
  pushFirst(): void {
    if (this.#isOver) return;
    try {
      this.#pushFirst();
    } catch (error) {
      this.end(error);
    }
  }

  /** Sends what has changed, as far as the proxy has answered what it was sent. What goes wrong ends the stream. */
  push(): void {
    if (this.#isOver) return;
    try {
      this.#push();
    } catch (error) {
      this.end(error);
    }
  }

  /** @param reason a `GrpcStatusError`, which the proxy hears */
  end(reason: unknown): void {
    this.#failure.abort(reason);
  }

  #pushFirst(): void {
    const { viewOf, caller, authorizedBy, endpointsOf } = this.#options;
    const [before, old, settings] = [this.#conversation.resources, this.#view, this.#settings];
    const view = viewOf(this.pod);
    if (view === undefined || settings === undefined || before === undefined) return;
    if (view.workload.identity !== caller.id) return; // The stream ends with the rest.
    if (settings.generator === "grpc") return; // What it is told of endpoints has another form.
    const judges = view.inbound.authorization !== old?.inbound.authorization;
    const early = (judges && authorizedBy(view, { settings, before })) || before;
    // Endpoints are the same for all, and IPv6 is among them.
    const moves = settings.ipv6 !== "absent" && view.outbound !== old?.outbound;
    const moved = moves ? endpointsOf(view.outbound, early) : early;
    if (moved === before) return;
    this.#conversation.set(moved);
    this.#sendNext();
  }

  #push(): void {
    this.#refresh();
    this.#sendNext();
  }

  #sendNext(): void {
    for (let next = this.#conversation.next(); next; next = this.#conversation.next())
      this.#send(next);
  }

  async #receive(): Promise<void> {
    const { stream, protocol } = this.#options;
    for await (const bytes of stream.requests) {
      const request = protocol.read(bytes);
      if (this.#settings === undefined) {
        const settings = this.#introduced(request.node);
        await this.#options.awaitTurn();
        this.#settings = settings; // what it is to have is work, and made in its turn
        this.#refresh();
      }
      if (this.#view === undefined) await this.#known;
      this.#take(request);
      await stream.flushed(); // an answer may be to what was never read
    }
  }

  /** Listeners are what a proxy asks for last. */
  get #hasAll(): boolean {
    const { isSettled, subscriptions } = this.#conversation;
    return isSettled && subscriptions.some(({ isAsked, type }) => isAsked && type === LISTENERS);
  }

  #introduced(node: ProxyNode | undefined): ProxySettings {
    const { caller, settings, warnings, stream } = this.#options;
    if (node === undefined)
      throw new GrpcStatusError("INVALID_ARGUMENT", "node: expected with the first request");
    const claimed = podOfNode(node).slice(0, MAX_TOLD_CHARACTERS);
    if (claimed !== this.pod) {
      const remote = stream.caller.remoteAddress;
      warnings.mistaken.warn({ caller: caller.id, pod: this.pod, claimed, remote });
      throw new GrpcStatusError("PERMISSION_DENIED", `the proof shown is not of ${claimed}`);
    }
    return settings.of(node);
  }

  #take(request: ProxyRequest): void {
    const { type, nonce, error } = request;
    if (type === undefined) return; // Of Istio's own kinds, or Envoy's, that nothing is told of here.
    const subscription = this.#conversation.of(type);
    const isLate =
      nonce !== "" && this.#answer(request, error?.slice(0, MAX_LOGGED_ERROR_CHARACTERS));
    if (!isLate || this.#options.protocol.late === "heard") {
      const asked = request.asked(subscription);
      if (asked.subscribe.length > MAX_NAMES)
        throw new GrpcStatusError("RESOURCE_EXHAUSTED", `at most ${MAX_NAMES} names at once`);
      if (asked.subscribe.some(({ length }) => length > MAX_NAME_CHARACTERS))
        throw new GrpcStatusError(
          "INVALID_ARGUMENT",
          `a name: at most ${MAX_NAME_CHARACTERS} characters`,
        );
      const response = this.#conversation.take(type, asked);
      if (response !== undefined) this.#send(response);
      if (subscription.nameCount > MAX_NAMES)
        throw new GrpcStatusError("RESOURCE_EXHAUSTED", `at most ${MAX_NAMES} names of one type`);
      if (asked.subscribe.length > 0 && this.#conversation.nameCharacters > MAX_KEPT_CHARACTERS)
        throw new GrpcStatusError(
          "RESOURCE_EXHAUSTED",
          `names: at most ${MAX_KEPT_CHARACTERS} characters in all`,
        );
      if (this.#conversation.isOverrun)
        throw new GrpcStatusError("RESOURCE_EXHAUSTED", "too many responses are not answered");
    }
    // What a change comes to is made in the turn of `push`: before all have been told what is urgent, nobody's answer starts it.
    this.#sendNext();
    if (this.#hasAll) this.#options.onSettled();
  }

  /** @returns whether it answers something that is long over */
  #answer({ type, nonce }: ProxyRequest, error: string | undefined): boolean {
    if (type === undefined) return true;
    const answer = this.#conversation.answer(type, nonce, error);
    if (answer.verdict === "stale") return true;
    this.#awaitAnswer();
    if (answer.verdict === "refused")
      this.#options.warnings.refused.warn({
        pod: this.pod,
        type: type.called,
        error: answer.error,
      });
    return false;
  }

  #send(response: ProxyResponse): void {
    const { protocol, stream, pack } = this.#options;
    const written = protocol.write(response);
    if (written === undefined) this.#conversation.answer(response.type, response.nonce, undefined);
    else stream.send(pack(written));
    this.#awaitAnswer();
  }

  #refresh(): void {
    const { viewOf, resourcesOf, caller } = this.#options;
    const view = viewOf(this.pod);
    if (view === undefined || this.#settings === undefined || view === this.#view) return;
    if (view.workload.identity !== caller.id)
      throw new GrpcStatusError("PERMISSION_DENIED", `${this.pod} is another account's now`);
    const before = this.#conversation.resources;
    this.#conversation.set(resourcesOf(view, { settings: this.#settings, before }));
    this.#view = view;
    this.#foundOut();
  }

  #awaitAnswer(): void {
    clearTimeout(this.#answerTimer);
    if (this.#isOver || !this.#conversation.isAwaitingAnswer) return;
    this.#answerTimer = setTimeout(() => {
      this.#options.warnings.silent.warn({ pod: this.pod });
      this.end(new GrpcStatusError("DEADLINE_EXCEEDED", "a response was not answered"));
    }, ANSWER_TIMEOUT_MS);
  }
}
