/**
 * How the sidecar reaches its own application. Where the pod has its own network, by the pod's address: an application
 * need not listen on loopback, and one that listens there only is reached by nobody. The source address tells such a
 * connection from one of the application to itself, which the kernel leads back to us (INJ-28).
 */
import type { SocketAddress } from "../policy/workload.ts";
import { connectFrom } from "../runtime/linux-socket.ts";
import type { Capture } from "./capture-rules.ts";
import type { InboundCall } from "./inbound-call.ts";
import {
  type Connect,
  dialPlaintext,
  type Upstream,
  UpstreamConnectError,
} from "./upstream-dialer.ts";

export interface ApplicationTarget {
  readonly address: SocketAddress;
  /** @throws UpstreamConnectError */
  readonly dial: () => Promise<Upstream>;
}

export type FindApplication = (call: InboundCall) => ApplicationTarget;

/** As Istio's. The IPv6 one is nobody's either; whoever makes the pod's network gives it to its loopback. */
const SOURCE = { ipv4: "127.0.0.6", ipv6: "::6" };

/** Where the view says that it listens. */
export const applicationByView: FindApplication = (call) => {
  const { application } = call.port();
  return { address: application, dial: () => dialPlaintext(application) };
};

/** At the pod's address of the family by which the caller came, else at the other one. */
export function applicationInPod({ podAddresses, mark }: Capture): FindApplication {
  return (call) => {
    const { port } = call.port().application;
    const way = (family: "ipv4" | "ipv6"): Way => ({
      address: { address: podAddresses[family], port },
      connect: (to) => connectFrom(to, { mark, sourceAddress: SOURCE[family] }),
    });
    const overIpv6 = call.facts.local.address.includes(":");
    const preferred = way(overIpv6 ? "ipv6" : "ipv4");
    const other = way(overIpv6 ? "ipv4" : "ipv6");
    return { address: preferred.address, dial: () => dialEither(preferred, other) };
  };
}

interface Way {
  readonly address: SocketAddress;
  readonly connect: Connect;
}

async function dialEither(preferred: Way, other: Way): Promise<Upstream> {
  try {
    return await dialPlaintext(preferred.address, preferred.connect);
  } catch (error) {
    if (!(error instanceof UpstreamConnectError) || !isRefused(error)) throw error;
    return dialPlaintext(other.address, other.connect).catch(() => {
      throw error;
    });
  }
}

function isRefused({ cause }: UpstreamConnectError): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}
