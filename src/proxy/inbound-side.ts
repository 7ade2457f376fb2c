/** Everything that faces callers: one listener for each port of the newest view. */
import type { InboundPort } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CompiledView } from "./compiled-view.ts";
import { HttpFront } from "./http-front.ts";
import type { InboundCall } from "./inbound-call.ts";
import { InboundCarrier } from "./inbound-carrier.ts";
import { inboundHttpService } from "./inbound-http.ts";
import { InboundListener } from "./inbound-listener.ts";
import type { InboundExchange } from "./inbound-steps.ts";
import { ListenerSet } from "./listener-set.ts";
import type { MutualTlsTerminator } from "./mutual-tls-terminator.ts";
import { formatAddress, type Recorder } from "./recorder.ts";
import { UpstreamPool } from "./upstream-pool.ts";

export interface InboundSideOptions {
  readonly compiled: Watched<CompiledView>;
  readonly terminator: MutualTlsTerminator;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
}

/** Some servers close after two seconds, and say so to nobody; a new connection to the own machine costs little. */
const APPLICATION_IDLE_MS = 1_500;

export class InboundSide {
  readonly #options: InboundSideOptions;
  readonly #pool = new UpstreamPool({ idleMs: APPLICATION_IDLE_MS });
  readonly #http: HttpFront<InboundCall, InboundExchange>;
  readonly #carrier: InboundCarrier;
  readonly #set: ListenerSet;
  #listeners = new Map<string, InboundListener>();

  constructor(options: InboundSideOptions) {
    this.#options = options;
    this.#http = new HttpFront(inboundHttpService({ ...options, pool: this.#pool }));
    this.#carrier = new InboundCarrier(options);
    this.#set = new ListenerSet(options.log);
  }

  /** The newest view's settings bind every open connection from now on, also those that they end. */
  enforce({ view }: CompiledView): void {
    for (const port of view.inbound.ports) this.#listeners.get(keyOf(port))?.update(port);
    this.#carrier.judgeAgain();
  }

  /** @throws ListenError when a port of the view cannot be opened */
  async apply({ view }: CompiledView): Promise<void> {
    const { ports } = view.inbound;
    this.#pool.retainOnly(new Set(ports.map(({ application }) => formatAddress(application))));
    const listeners = new Map<string, InboundListener>();
    for (const port of ports) {
      const key = keyOf(port);
      const listener = this.#listeners.get(key) ?? this.#listener(port);
      listener.update(port);
      listeners.set(key, listener);
    }
    this.#listeners = listeners;
    await this.#set.apply(new Map([...listeners].map(([key, one]) => [key, () => one])));
  }

  async close(): Promise<void> {
    this.#http.drain();
    await this.#set.close();
    this.#pool.close();
  }

  #listener(port: InboundPort): InboundListener {
    return new InboundListener(port, {
      ...this.#options,
      http: this.#http,
      carrier: this.#carrier,
    });
  }
}

/** All by which a port is the same one in the next view. */
function keyOf({ containerPort, listen }: InboundPort): string {
  return `${containerPort} at ${formatAddress(listen)}`;
}
