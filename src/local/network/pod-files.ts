/** The small files of /etc that differ from pod to pod. Pure. */
import type { IpAddresses } from "../../policy/workload.ts";
import { APPLICATION_UID, ROUTER_ADDRESSES } from "./mesh-ranges.ts";

const CLUSTER = "svc.cluster.local";

export interface PodFile {
  /** Where the container finds it. */
  readonly target: string;
  readonly content: string;
}

export interface PodFileInputs {
  readonly namespace: string;
  /** The first part of its name; as a rule the pod's. */
  readonly hostname: string;
  /** The headless service below whose name it has one of its own, in the pod's namespace; absent where it has none. */
  readonly serviceName?: string | undefined;
  readonly addresses: IpAddresses;
  /** Folder that the application's user is at home in. */
  readonly home: string;
  /** Of this machine: its accounts stay, so that programs find what they know. */
  readonly accounts: { readonly passwd: string; readonly group: string };
}

/** As in Kubernetes, with the gateway as name server (`dnsPolicy: ClusterFirst`). */
export function podFiles(inputs: PodFileInputs): readonly PodFile[] {
  const { hostname, accounts } = inputs;
  return [
    { target: "/etc/hostname", content: `${hostname}\n` },
    { target: "/etc/hosts", content: hosts(inputs) },
    { target: "/etc/resolv.conf", content: resolverConfiguration(inputs) },
    { target: "/etc/passwd", content: passwd(accounts.passwd, inputs.home) },
    { target: "/etc/group", content: group(accounts.group) },
  ];
}

/** Its own full name comes first, as from Kubernetes: a member of a StatefulSet finds itself before others find it. */
function hosts({ namespace, hostname, serviceName, addresses }: PodFileInputs): string {
  const names =
    serviceName === undefined
      ? hostname
      : `${hostname}.${serviceName}.${namespace}.${CLUSTER}\t${hostname}`;
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    `${addresses.ipv4}\t${names}`,
    `${addresses.ipv6}\t${names}`,
  ];
  return `${lines.join("\n")}\n`;
}

function resolverConfiguration({ namespace }: PodFileInputs): string {
  const lines = [
    `nameserver ${ROUTER_ADDRESSES.ipv4}`,
    `search ${namespace}.${CLUSTER} ${CLUSTER} cluster.local`,
    "options ndots:5",
  ];
  return `${lines.join("\n")}\n`;
}

/** An account of the same number keeps its name; its home is where it is here. */
function passwd(text: string, home: string): string {
  const lines = text.split("\n").filter((line) => line !== "");
  const own = lines.find((line) => line.split(":")[2] === String(APPLICATION_UID));
  const [name = "app", , , , about = ""] = own?.split(":") ?? [];
  const entry = [name, "x", APPLICATION_UID, APPLICATION_UID, about, home, "/bin/sh"].join(":");
  return `${[...lines.filter((line) => line !== own), entry].join("\n")}\n`;
}

function group(text: string): string {
  const lines = text.split("\n").filter((line) => line !== "");
  const known = lines.some((line) => line.split(":")[2] === String(APPLICATION_UID));
  return `${[...lines, ...(known ? [] : [`app:x:${APPLICATION_UID}:`])].join("\n")}\n`;
}
