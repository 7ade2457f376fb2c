/**
 * The network that a mesh builds inside its own namespaces: a bridge that is every pod's way out, guarded by rules, and
 * a namespace for each pod. All of it ends with the last process inside.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { IpAddresses } from "../../policy/workload.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { FabricError } from "./fabric-error.ts";
import { hardwareAddress } from "./hardware-address.ts";
import { BRIDGE, POD_RANGES, ROUTER_ADDRESSES } from "./mesh-ranges.ts";
import { PodNetwork } from "./pod-network.ts";
import { routerRules } from "./router-rules.ts";
import { runSystemProgram } from "./run-system-program.ts";
import { systemProgram } from "./system-programs.ts";

export type { PodNetwork } from "./pod-network.ts";

export interface MeshFabricOptions {
  /** Absolute; holds the folder of the namespaces' files, which only this process and its children see. */
  readonly dataDirectory: string;
  readonly log: Log;
}

/** Bridged packets are no business of the router's rules: the two pods have their own. */
const SETTINGS = `set_to() { if [ -e "/proc/sys/net/$1" ]; then echo "$2" > "/proc/sys/net/$1"; fi; }
set_to ipv4/ip_unprivileged_port_start 0
set_to ipv4/ip_forward 0
for one in iptables ip6tables arptables; do set_to "bridge/bridge-nf-call-$one" 0; done
for one in all default lo; do
  set_to "ipv6/conf/$one/disable_ipv6" 0
  set_to "ipv6/conf/$one/accept_ra" 0
  set_to "ipv6/conf/$one/accept_dad" 0
  set_to "ipv6/conf/$one/forwarding" 0
done`;

const OPEN = `set -eu
folder=$1 mount=$2 owner=$3 ip=$4 nft=$5 interfaces=$6 rules=$7
"$mount" -t tmpfs -o "$owner,mode=0700,size=1m" hauberk "$folder"
${SETTINGS}
printf '%s' "$rules" | "$nft" -f -
printf '%s' "$interfaces" | "$ip" -batch -`;

export class MeshFabric {
  readonly routerAddresses: IpAddresses = ROUTER_ADDRESSES;
  /** Whether this machine has IPv6; addresses of that family mean nothing otherwise. */
  readonly ipv6: "available" | "absent";
  readonly #folder: string;
  readonly #log: Log;
  /** By IPv4 address. */
  readonly #pods: Map<string, PodNetwork> = new Map();

  private constructor({
    folder,
    log,
    ipv6,
  }: {
    readonly folder: string;
    readonly log: Log;
    readonly ipv6: MeshFabric["ipv6"];
  }) {
    this.#folder = folder;
    this.#log = log;
    this.ipv6 = ipv6;
  }

  /**
   * Must be called inside namespaces that `meshNamespaceCommand` made: it changes the network that it finds.
   *
   * @throws FabricError when the kernel refuses a part of it
   */
  static async open({ dataDirectory, log }: MeshFabricOptions): Promise<MeshFabric> {
    const folder = join(dataDirectory, "network");
    const ipv6 = existsSync("/proc/net/if_inet6") ? "available" : "absent";
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await runSystemProgram([
      "/bin/sh",
      "-c",
      OPEN,
      "open",
      folder,
      systemProgram("mount"),
      `uid=${process.getuid?.() ?? 0},gid=${process.getgid?.() ?? 0}`,
      systemProgram("ip"),
      systemProgram("nft"),
      bridgeBatch(ipv6),
      routerRules(),
    ]);
    return new MeshFabric({ folder, log, ipv6 });
  }

  /**
   * Makes a pod's namespace and joins it to the bridge. It has no rules yet. Waits for the end of an earlier pod of the
   * same address.
   *
   * @param key `namespace/pod`
   * @throws FabricError, also when another pod has the address
   */
  async createPod(key: string, addresses: IpAddresses): Promise<PodNetwork> {
    const { ipv6 } = this;
    const earlier = this.#pods.get(addresses.ipv4);
    if (earlier !== undefined && earlier.ending === undefined) {
      throw new FabricError(`${addresses.ipv4} is the address of the pod ${earlier.key}`);
    }
    await earlier?.ending;
    const since = performance.now();
    const pod = await PodNetwork.create({ key, addresses, folder: this.#folder, ipv6 });
    this.#pods.set(addresses.ipv4, pod);
    const tookMs = Math.round(performance.now() - since);
    this.#log.info("a pod has its network", { pod: key, address: addresses.ipv4, tookMs });
    return pod;
  }

  /** Ends the network of every pod that is left. What cannot be undone ends with this process. */
  async close(): Promise<void> {
    const outcomes = await Promise.allSettled([...this.#pods.values()].map((pod) => pod.destroy()));
    this.#pods.clear();
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") this.#warn(outcome.reason);
    }
    try {
      await runSystemProgram([systemProgram("umount"), "-l", this.#folder]);
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    this.#log.warn("a part of the network was left", { problem: describeError(error) });
  }
}

function bridgeBatch(ipv6: MeshFabric["ipv6"]): string {
  const lengthOf = (range: string): string => range.slice(range.indexOf("/"));
  const { ipv4: range4, ipv6: range6 } = POD_RANGES;
  return [
    "link set lo up",
    `link add ${BRIDGE} address ${hardwareAddress(ROUTER_ADDRESSES.ipv4)} type bridge mcast_snooping 0 stp_state 0`,
    ...(ipv6 === "available" ? [`link set ${BRIDGE} addrgenmode none`] : []),
    `addr add ${ROUTER_ADDRESSES.ipv4}${lengthOf(range4)} dev ${BRIDGE}`,
    ...(ipv6 === "available"
      ? [`addr add ${ROUTER_ADDRESSES.ipv6}${lengthOf(range6)} dev ${BRIDGE} nodad`]
      : []),
    `link set ${BRIDGE} up`,
    "",
  ].join("\n");
}
