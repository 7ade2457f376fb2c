/** Everything that faces callers: one listener for each port of the newest view. */
import type { InboundPort } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CompiledView } from "./compiled-view.ts";
import { HttpFront } from "./http-front.ts";
import type { InboundCall } from "./inbound-call.ts";
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

export class InboundSide {
  readonly #options: InboundSideOptions;
  readonly #pool = new UpstreamPool();
  readonly #http: HttpFront<InboundCall, InboundExchange>;
  readonly #set: ListenerSet;
  #listeners = new Map<string, InboundListener>();

  constructor(options: InboundSideOptions) {
    this.#options = options;
    this.#http = new HttpFront(inboundHttpService({ ...options, pool: this.#pool }));
    this.#set = new ListenerSet(options.log);
  }

  /** @throws ListenError when a port of the view cannot be opened */
  async apply({ view }: CompiledView): Promise<void> {
    const { ports } = view.inbound;
    this.#pool.retainOnly(new Set(ports.map(({ application }) => formatAddress(application))));
    const listeners = new Map<string, InboundListener>();
    for (const port of ports) {
      const key = `${port.containerPort} at ${formatAddress(port.listen)}`;
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
    return new InboundListener(port, { ...this.#options, http: this.#http });
  }
}
