/**
 * The gateway of a mesh of network namespaces, beside the bridge: it answers names for every pod, lets connections out
 * through the host side, and brings the host's in.
 */
import { connect, isIPv6, type Socket } from "node:net";
import type { GatewayStart } from "../policy/gateway-messages.ts";
import { nameTableOf } from "../policy/name-table.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination } from "../policy/workload-view.ts";
import { NAMES_LINE } from "../runtime/gate-lines.ts";
import type { Log } from "../runtime/log.ts";
import { ClientQuota, type QuotaLimits } from "./client-quota.ts";
import { DnsForwarder } from "./dns-forwarder.ts";
import { reverseNamesOf } from "./dns-reverse-names.ts";
import { DnsServer } from "./dns-server.ts";
import { EgressListener } from "./egress-listener.ts";
import { IngressListener } from "./ingress-listener.ts";
import { openWhenFree } from "./open-when-free.ts";

const DNS_PORT = 53;
/** To the outside; fewer than the host side takes, so that there is always room for names. */
const EGRESS_CONNECTIONS: QuotaLimits = { perClient: 512, inAll: 1_900 };

export interface GatewayOptions extends Omit<GatewayStart, "type"> {
  /** Where a connection was going before the kernel led it to us. */
  readonly originalDestination: (socket: Socket) => SocketAddress | undefined;
  readonly dnsPort?: number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

export class Gateway {
  readonly #forwarder: DnsForwarder;
  readonly #dns: DnsServer;
  readonly #egress: readonly EgressListener[];
  readonly #ingress: IngressListener;
  #names: Names;

  private constructor(options: GatewayOptions) {
    const { destinations, egressSocket, log, dnsAddresses, dnsPort: port = DNS_PORT } = options;
    this.#names = namesOf(destinations);
    this.#forwarder = new DnsForwarder({
      connect: () => connect({ path: egressSocket, allowHalfOpen: true }),
      preface: NAMES_LINE,
    });
    this.#dns = new DnsServer({
      listen: dnsAddresses.map((address) => ({ address, port })),
      table: () => this.#names.table,
      reverseNames: () => this.#names.reverse,
      forward: (query) => this.#forwarder.ask(query),
      log,
    });
    const quota = new ClientQuota(EGRESS_CONNECTIONS);
    this.#egress = egressAddresses(options).map(
      (at) => new EgressListener({ ...options, listen: at, quota }),
    );
    this.#ingress = new IngressListener({ ...options, path: options.ingressSocket });
  }

  /**
   * Serves once it resolves.
   *
   * @throws ListenError
   */
  static async open(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(options);
    try {
      await openWhenFree(() => gateway.#dns.open());
      for (const egress of gateway.#egress) await openWhenFree(() => egress.open());
      await gateway.#ingress.open();
    } catch (error) {
      await gateway.close();
      throw error;
    }
    return gateway;
  }

  setDestinations(destinations: readonly Destination[]): void {
    this.#names = namesOf(destinations);
    this.#ingress.setDestinations(destinations);
  }

  async close(): Promise<void> {
    this.#forwarder.close();
    const parts = [this.#dns, this.#ingress, ...this.#egress];
    await Promise.all(parts.map((part) => part.close()));
  }
}

type Names = ReturnType<typeof namesOf>;

function namesOf(destinations: readonly Destination[]) {
  return { table: nameTableOf(destinations), reverse: reverseNamesOf(destinations) };
}

/** Every address of the bridge; of IPv6 only where the machine has it. */
function egressAddresses({ dnsAddresses, egressPort: port }: GatewayOptions): SocketAddress[] {
  const wildcards = dnsAddresses.some(isIPv6) ? ["0.0.0.0", "::"] : ["0.0.0.0"];
  return wildcards.map((address) => ({ address, port }));
}
