/** Answers the names that the pod's own application asks for: from the newest view, and for the rest from the gateway. */
import { nameTableOf } from "../policy/name-table.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { Capture } from "./capture-rules.ts";
import type { CompiledView } from "./compiled-view.ts";
import { DnsForwarder } from "./dns-forwarder.ts";
import { reverseNamesOf } from "./dns-reverse-names.ts";
import { DnsServer } from "./dns-server.ts";
import { exemptConnect } from "./exempt-connect.ts";
import { lookUpBy, type NameLookup } from "./name-lookup.ts";
import { isWithoutIpv6 } from "./without-ipv6.ts";

export interface PodNamesOptions {
  readonly capture: Capture;
  readonly compiled: Watched<Pick<CompiledView, "view">>;
  readonly log: Log;
}

export class PodNames {
  readonly #options: PodNamesOptions;
  readonly #forwarder: DnsForwarder;
  readonly #unwatch: () => void;
  #names: Names;
  #server: DnsServer | undefined;

  constructor(options: PodNamesOptions) {
    const { capture, compiled } = options;
    this.#options = options;
    const connect = exemptConnect(capture);
    this.#forwarder = new DnsForwarder({ connect: () => connect(capture.dnsUpstream) });
    this.#names = namesOf(compiled.current);
    this.#unwatch = compiled.onChange((next) => {
      this.#names = namesOf(next);
    });
  }

  /** For names that are not of the mesh. */
  get lookUp(): NameLookup {
    return lookUpBy(this.#forwarder);
  }

  /** Serves loopback only, over IPv6 where the machine has it. @throws ListenError */
  async open(): Promise<void> {
    if (this.#server !== undefined) return;
    try {
      this.#server = await this.#serve(["127.0.0.1", "::1"]);
    } catch (error) {
      if (!isWithoutIpv6(error)) throw error;
      this.#server = await this.#serve(["127.0.0.1"]);
    }
  }

  async close(): Promise<void> {
    this.#unwatch();
    this.#forwarder.close();
    await this.#server?.close();
  }

  async #serve(addresses: readonly string[]): Promise<DnsServer> {
    const { capture, compiled, log } = this.#options;
    const server = new DnsServer({
      listen: addresses.map((address) => ({ address, port: capture.dnsPort })),
      table: () => this.#names.table,
      reverseNames: () => this.#names.reverse,
      namespace: compiled.current.view.workload.namespace,
      forward: (query) => this.#forwarder.ask(query),
      log,
    });
    await server.open();
    return server;
  }
}

interface Names {
  readonly table: ReturnType<typeof nameTableOf>;
  readonly reverse: ReturnType<typeof reverseNamesOf>;
}

function namesOf({ view }: Pick<CompiledView, "view">): Names {
  const { destinations } = view.outbound;
  return { table: nameTableOf(destinations), reverse: reverseNamesOf(destinations) };
}
