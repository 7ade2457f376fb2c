/** The door to TLS with certificates of others: nothing of it is loaded before a view asks for it. */
import type { TlsOrigination } from "../../policy/tls-origination.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { Log } from "../../runtime/log.ts";
import type { CallContent } from "../mesh-protocols.ts";
import type { Connect, Upstream } from "../upstream-dialer.ts";
import type { Originations } from "./originations.ts";

export interface OriginatorOptions {
  readonly log: Log;
  /** See `OriginationsOptions`. */
  readonly changed: () => void;
}

export interface OriginatedCall {
  readonly origination: TlsOrigination;
  /** The host that is called. */
  readonly host: string;
  readonly content: CallContent;
  readonly connect: Connect;
  readonly connectMs: number;
}

export class Originator {
  readonly #options: OriginatorOptions;
  #opened: Promise<Originations> | undefined;
  /** Another one for each change of certificates. */
  #version = 0;

  constructor(options: OriginatorOptions) {
    this.#options = options;
  }

  /** What was read for older views alone is forgotten. */
  apply(view: WorkloadView): void {
    this.#opened?.then((originations) => originations.apply(view));
  }

  /** By what connections are told apart: those with other certificates, or other demands, are others. */
  keyOf(origination: TlsOrigination): string {
    return `${this.#version} ${JSON.stringify(origination)}`;
  }

  /** @throws UpstreamConnectError */
  async dial(to: SocketAddress, call: OriginatedCall): Promise<Upstream> {
    const { dialOriginated } = await import("./originated-dial.ts");
    return dialOriginated(to, { ...call, originations: await this.#open() });
  }

  async close(): Promise<void> {
    (await this.#opened)?.close();
  }

  #open(): Promise<Originations> {
    this.#opened ??= this.#load();
    return this.#opened;
  }

  async #load(): Promise<Originations> {
    const { Originations } = await import("./originations.ts");
    const { log, changed } = this.#options;
    return new Originations({
      log,
      changed: () => {
        this.#version++;
        changed();
      },
    });
  }
}
