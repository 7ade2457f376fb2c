/** The network of one pod: a namespace of its own, joined to the bridge, and the rules in it. */
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { IpAddresses } from "../../policy/workload.ts";
import { FabricError } from "./fabric-error.ts";
import { hardwareAddress } from "./hardware-address.ts";
import {
  BRIDGE,
  PASSTHROUGH_SOURCE,
  POD_INTERFACE,
  POD_RANGES,
  ROUTER_ADDRESSES,
} from "./mesh-ranges.ts";
import { runSystemProgram } from "./run-system-program.ts";
import { systemProgram } from "./system-programs.ts";

export interface PodNetworkPlan {
  readonly key: string;
  readonly addresses: IpAddresses;
  /** Where the file is made that stands for the namespace. */
  readonly folder: string;
  readonly ipv6: "available" | "absent";
}

/** The namespace, its cable to the bridge, then its inside: one shell, since each program costs milliseconds. */
const CREATE = `set -eu
file=$1 unshare=$2 nsenter=$3 ip=$4 cable=$5 inside=$6 interfaces=$7
: > "$file"
"$unshare" --net="$file" -- true
printf '%s' "$cable" | "$ip" -batch -
exec "$nsenter" --net="$file" -- sh -euc "$inside" inside "$ip" "$interfaces"`;

const INSIDE = `set_to() { if [ -e "/proc/sys/net/$1" ]; then echo "$2" > "/proc/sys/net/$1"; fi; }
set_to ipv4/ip_unprivileged_port_start 0
for one in all lo ${POD_INTERFACE}; do
  set_to "ipv6/conf/$one/disable_ipv6" 0
  set_to "ipv6/conf/$one/accept_ra" 0
  set_to "ipv6/conf/$one/autoconf" 0
  set_to "ipv6/conf/$one/accept_dad" 0
done
printf '%s' "$2" | "$1" -batch -`;

export class PodNetwork {
  readonly key: string;
  readonly addresses: IpAddresses;
  /** Of the file that stands for the namespace, as `nsenter --net=` takes it. */
  readonly path: string;
  #applied: string | undefined;
  /** Rules are given to the kernel in the order in which they were asked for. */
  #applying: Promise<void> = Promise.resolve();
  #destroying: Promise<void> | undefined;

  private constructor({ key, addresses, folder }: PodNetworkPlan) {
    this.key = key;
    this.addresses = addresses;
    this.path = join(folder, cableOf(addresses));
  }

  /** @throws FabricError; nothing of it is left then */
  static async create(plan: PodNetworkPlan): Promise<PodNetwork> {
    const pod = new PodNetwork(plan);
    try {
      await runSystemProgram(["/bin/sh", "-c", CREATE, "create", ...pod.#parameters(plan)], {
        workingDirectory: plan.folder,
      });
      return pod;
    } catch (error) {
      await pod.destroy();
      throw error;
    }
  }

  /**
   * Puts these rules in the place of all earlier ones, as one transaction; the same text again costs nothing.
   *
   * @param rules a table, as `podRules` writes it
   * @throws FabricError with nft's own words; the earlier rules stay in force
   */
  apply(rules: string): Promise<void> {
    const applied = this.#applying.then(() => this.#applyNow(rules));
    this.#applying = applied.catch(() => undefined); // whoever asked hears of it
    return applied;
  }

  /** Whatever still runs in it has no way out any more. */
  destroy(): Promise<void> {
    this.#destroying ??= this.#destroyOnce();
    return this.#destroying;
  }

  /** Resolves when it is gone; undefined while nobody has asked for that. */
  get ending(): Promise<void> | undefined {
    return this.#destroying;
  }

  async #applyNow(rules: string): Promise<void> {
    if (this.#destroying !== undefined) throw new FabricError(`the pod ${this.key} is gone`);
    if (rules === this.#applied) return;
    this.#applied = undefined; // should it fail on the way, nobody knows what the kernel took
    await runSystemProgram(
      [systemProgram("nsenter"), `--net=${this.path}`, systemProgram("nft"), "-f", "-"],
      { input: rules },
    );
    this.#applied = rules;
  }

  async #destroyOnce(): Promise<void> {
    await this.#applying;
    const cable = basename(this.path);
    const remove = `"$1" link delete "$3" 2>/dev/null; "$2" -l "$4" 2>/dev/null; :`;
    await runSystemProgram([
      "/bin/sh",
      "-c",
      remove,
      "remove",
      systemProgram("ip"),
      systemProgram("umount"),
      cable,
      this.path,
    ]);
    await rm(this.path, { force: true });
  }

  #parameters({ addresses, ipv6 }: PodNetworkPlan): readonly string[] {
    const cable = basename(this.path);
    return [
      `./${cable}`,
      systemProgram("unshare"),
      systemProgram("nsenter"),
      systemProgram("ip"),
      cableBatch(cable, addresses),
      INSIDE,
      [...ipv4Batch(addresses), ...(ipv6 === "available" ? ipv6Batch(addresses) : [])].join("\n"),
    ];
  }
}

/** Of the interface beside the bridge, and of the namespace's file: `pod` and the last two octets. */
function cableOf({ ipv4 }: IpAddresses): string {
  const [, , third, fourth] = ipv4.split(".");
  return `pod${third}-${fourth}`;
}

function cableBatch(cable: string, { ipv4 }: IpAddresses): string {
  const inside = `name ${POD_INTERFACE} address ${hardwareAddress(ipv4)} netns ./${cable}`;
  return [
    `link add ${cable} type veth peer ${inside}`,
    `link set ${cable} addrgenmode none`,
    `link set ${cable} master ${BRIDGE} up`,
    "",
  ].join("\n");
}

function ipv4Batch({ ipv4 }: IpAddresses): readonly string[] {
  return [
    "link set lo up",
    `link set ${POD_INTERFACE} addrgenmode none`,
    `addr add ${ipv4}/${prefixOf(POD_RANGES.ipv4)} dev ${POD_INTERFACE}`,
    `link set ${POD_INTERFACE} up`,
    `route add default via ${ROUTER_ADDRESSES.ipv4}`,
    "",
  ];
}

function ipv6Batch({ ipv6 }: IpAddresses): readonly string[] {
  return [
    `addr add ${PASSTHROUGH_SOURCE.ipv6}/128 dev lo nodad`,
    `addr add ${ipv6}/${prefixOf(POD_RANGES.ipv6)} dev ${POD_INTERFACE} nodad`,
    `route add ::/0 via ${ROUTER_ADDRESSES.ipv6} dev ${POD_INTERFACE}`,
    "",
  ];
}

function prefixOf(range: string): string {
  return range.slice(range.indexOf("/") + 1);
}
