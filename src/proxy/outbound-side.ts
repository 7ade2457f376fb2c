/**
 * Everything that faces the pod's own application: a listener for each destination and the HTTP proxy, or one listener
 * for all that the application calls where the kernel leads it there.
 */
import type { X509Svid } from "../identity/x509-svid.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { ConnectCollector } from "../telemetry/tracing/collector-connection.ts";
import type { AcceptedConnection } from "./accepted-connection.ts";
import { seededChance } from "./balancing/seeded-chance.ts";
import { CaptureListener } from "./capture-listener.ts";
import { type Capture, outboundProblem } from "./capture-rules.ts";
import { CapturedCalls } from "./captured-calls.ts";
import { CertificateDeadlines } from "./certificate-deadlines.ts";
import { collectorConnections } from "./collector-connections.ts";
import type { CompiledView } from "./compiled-view.ts";
import { DestinationBalancers } from "./destination-balancers.ts";
import { exemptConnect } from "./exempt-connect.ts";
import { ForeignRefusals } from "./foreign-refusals.ts";
import { formatAddress } from "./format-address.ts";
import { HttpServer } from "./http/http-server.ts";
import { ConnectionPools } from "./http/upstream-connections-pools.ts";
import { HttpProxy } from "./http-proxy.ts";
import { HttpServiceHandler } from "./http-service.ts";
import { ListenerSet, type ManagedListener } from "./listener-set.ts";
import { allDestinations, type OutboundCall } from "./outbound-call.ts";
import { OutboundCarrier } from "./outbound-carrier.ts";
import { outboundHttpService } from "./outbound-http.ts";
import { OutboundListener } from "./outbound-listener.ts";
import { OutboundTargets } from "./outbound-targets.ts";
import { type ServiceCaller, serviceCaller } from "./own-calls/service-caller.ts";
import type { ProxyCredentials } from "./proxy-credentials.ts";
import type { Recorder } from "./recorder.ts";
import { connectDirectly } from "./upstream-dialer.ts";
import type { Ownership } from "./workload-ownership.ts";

export interface OutboundSideOptions {
  readonly compiled: Watched<CompiledView>;
  readonly svid: X509Svid;
  readonly credentials: ProxyCredentials;
  /** Absent: nobody's connections can be told apart, so plain listeners stay closed. */
  readonly ownership: ((accepted: AcceptedConnection) => Promise<Ownership>) | undefined;
  /** Where the kernel leads all connections to us. */
  readonly capture: Capture | undefined;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Sidecars keep an idle connection ten seconds longer. */
const SIDECAR_IDLE_MS = 55_000;
/** Where the kernel leads what the own pod sends. */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

export class OutboundSide {
  readonly #options: OutboundSideOptions;
  readonly #pools: ConnectionPools;
  readonly #balancers: DestinationBalancers;
  readonly #forget: () => void;
  readonly #targets: OutboundTargets;
  readonly #carrier: OutboundCarrier;
  readonly #http: HttpServer<OutboundCall>;
  readonly #captured: CapturedCalls;
  readonly #set: ListenerSet;
  readonly #refusals: ForeignRefusals;

  constructor(options: OutboundSideOptions) {
    this.#options = options;
    const { svid, compiled, log, clock, random } = options;
    const { trust, outbound } = compiled.current.view;
    const connect =
      options.capture === undefined ? connectDirectly : exemptConnect(options.capture);
    const deadlines = new CertificateDeadlines({ clock, random });
    this.#pools = new ConnectionPools({ idleMs: SIDECAR_IDLE_MS, deadlines });
    const balancers = new DestinationBalancers({ chance: seededChance(random() * 2 ** 32), log });
    balancers.apply(allDestinations(outbound));
    this.#forget = compiled.onChange(({ view }) => balancers.apply(allDestinations(view.outbound)));
    this.#balancers = balancers;
    this.#targets = new OutboundTargets(this.#pools, {
      ...{ svid, trust, connect },
      ...{ clock, balancers, log },
    });
    const view = (): WorkloadView => compiled.current.view;
    this.connectCollector = collectorConnections({ view, targets: this.#targets, connect, random });
    this.services = serviceCaller({ compiled, targets: this.#targets, balancers });
    const shared = { ...options, targets: this.#targets, balancers };
    this.#carrier = new OutboundCarrier({
      ...shared,
      requests: (socket, call, framing) => this.#http.accept(socket, call, framing),
    });
    const service = outboundHttpService({
      ...shared,
      serveTunnel: (socket, call) => this.#carrier.serve(socket, call),
    });
    this.#http = new HttpServer(new HttpServiceHandler(service));
    this.#captured = new CapturedCalls({
      ...options,
      connect,
      known: (socket, call) => this.#carrier.serve(socket, call),
      requests: (socket, call, framing) => this.#http.accept(socket, call, framing),
    });
    this.#set = new ListenerSet(log);
    this.#refusals = new ForeignRefusals(options);
  }

  /** Dials with this certificate and this view from now on. */
  refresh(svid: X509Svid): void {
    const { view } = this.#options.compiled.current;
    this.#targets.refresh({ svid, trust: view.trust }, view);
    this.#carrier.judgeAgain();
  }

  /** @throws ListenError when a listener of the view cannot be opened */
  apply({ view }: CompiledView): Promise<void> {
    const { capture } = this.#options;
    if (capture !== undefined) {
      return this.#set.apply(new Map([["capture", () => this.#captureListener(capture)]]));
    }
    const wanted = new Map<string, () => ManagedListener>();
    const { httpProxy, destinations } = view.outbound;
    if (httpProxy !== undefined) {
      const create = (): ManagedListener =>
        new HttpProxy({ ...this.#options, http: this.#http, listen: httpProxy });
      wanted.set(`proxy at ${formatAddress(httpProxy)}`, create);
    }
    const { ownership } = this.#options;
    for (const { host, servicePort, listen } of destinations) {
      if (listen === undefined || ownership === undefined) continue;
      const destination = { host, servicePort };
      wanted.set(
        `${host}:${servicePort} at ${formatAddress(listen)}`,
        () =>
          new OutboundListener({
            ...this.#options,
            listen,
            destination,
            ownership,
            refusals: this.#refusals,
            serve: (socket, facts) => this.#carrier.serve(socket, { facts, via: destination }),
          }),
      );
    }
    return this.#set.apply(wanted);
  }

  /** For whoever else sends requests to destinations of the view, as a gateway. */
  get reach(): { readonly targets: OutboundTargets; readonly balancers: DestinationBalancers } {
    return { targets: this.#targets, balancers: this.#balancers };
  }

  /** By the same way as the application's own calls. */
  readonly connectCollector: ConnectCollector;
  /** The same way, for what the sidecar asks others itself. */
  readonly services: ServiceCaller;

  async close(): Promise<void> {
    this.#http.drain();
    await this.#set.close();
    this.#pools.close();
    await this.#targets.close();
    this.#forget();
    this.#balancers.close();
  }

  #captureListener(capture: Capture): CaptureListener {
    return new CaptureListener({
      ...this.#options,
      listen: LOOPBACK.map((address) => ({ address, port: capture.outboundPort })),
      problemOf: (original) => outboundProblem(original, capture),
      serve: (socket, captured) => this.#captured.serve(socket, captured),
    });
  }
}
