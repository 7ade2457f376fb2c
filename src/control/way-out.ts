/**
 * How the control plane reaches hosts of others. In a mesh of network namespaces there is no way out of its own: the host
 * side connects, and the mesh's own name server asks the host's.
 */
import { lookup, Resolver } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { cidrContains, parseCidr, parseIpAddress } from "../api/cidr.ts";
import { connectOutside } from "../runtime/outside-connection.ts";

/** What whoever starts it in namespaces tells of it. */
export interface WayOutSettings {
  /** Path of the host side's Unix socket. */
  readonly egressSocket: string;
  /** IP addresses. */
  readonly nameServers: readonly string[];
  /** CIDRs of pods: reached directly. */
  readonly inside: readonly string[];
}

export interface WayOut {
  /**
   * @param place an IP address
   * @returns connected; what it is connected to, as the kernel says where it knows
   */
  dial(
    place: { readonly address: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<{ readonly socket: Socket; readonly address: string }>;
  /** @returns IP addresses */
  lookUp(name: string): Promise<readonly string[]>;
}

export const DIRECT: WayOut = {
  async dial({ address, port }, signal) {
    const socket = connect({ host: address, port, signal });
    await new Promise<void>((resolve, reject) => {
      // For good: what fails later is told by whoever waits then.
      socket.on("error", reject).once("connect", () => resolve());
    });
    return { socket, address: socket.remoteAddress ?? "" };
  },
  async lookUp(name) {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  },
};

export function wayOut(settings: WayOutSettings | undefined): WayOut {
  return settings === undefined ? DIRECT : throughHostSide(settings);
}

function throughHostSide({ egressSocket, nameServers, inside }: WayOutSettings): WayOut {
  const ranges = inside.map((text) => parseCidr(text));
  const isInside = (text: string): boolean => {
    const address = parseIpAddress(text);
    if (address === undefined) return false;
    return ranges.some((range) => range !== undefined && cidrContains(range, address));
  };
  return {
    async dial(place, signal) {
      signal.throwIfAborted();
      if (isInside(place.address)) return await DIRECT.dial(place, signal);
      const socket = await connectOutside(place, { egressSocket, signal });
      socket.on("error", () => socket.destroy());
      socket.resume(); // whoever is asked says nothing before he is asked
      return { socket, address: place.address };
    },
    async lookUp(name) {
      if (isIP(name) !== 0) return [name];
      const resolver = new Resolver({ timeout: 2_000, tries: 2 });
      resolver.setServers(nameServers);
      const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      const addresses = found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
      const failed = found.find((one) => one.status === "rejected");
      if (addresses.length === 0 && failed?.status === "rejected") throw failed.reason;
      return addresses;
    },
  };
}
