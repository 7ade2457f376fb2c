/** Attempts at the kernel's rules around a pod, and at the machine outside the mesh. Pure. */
import { join } from "node:path";
import { ROUTER_ADDRESSES, ROUTER_PORTS } from "../../local/network/mesh-ranges.ts";
import type { AttackAims } from "./attack-aims.ts";
import type { Attempt } from "./attack-attempt.ts";

const HTTP = "HEAD /hauberk-attempt HTTP/1.1\r\nhost: host\r\nconnection: close\r\n\r\n";
const HTTP_SAYS = /^HTTP\//;

/** Of services and desktops, below the folders where their like is. */
const SOCKETS = [
  "/run/docker.sock",
  "/run/podman/podman.sock",
  "/run/containerd/containerd.sock",
  "/run/dbus/system_bus_socket",
  "/run/systemd/private",
  "/run/user",
  "/var/run/docker.sock",
  "/var/lib/lxd/unix.socket",
  "/var/lib/incus/unix.socket",
  "/var/snap",
  "/tmp/.X11-unix",
];
const DEVICES = ["mem", "kmsg", "kvm", "fuse", "vsock", "sda", "vda", "nvme0n1", "net/tun"];
/** What is in people's homes; whose they are is not said, nor what is in them. */
const PRIVATE_FILES = [".ssh", ".bashrc", ".profile", ".config", ".netrc", ".npmrc", ".gitconfig"];

/** What it succeeds in is said by `done`. */
const shell = (what: string, script: string): Attempt => ({
  what,
  technique: "run",
  aim: { command: ["sh", "-c", `${script} && echo done`] },
  proof: /done/,
});
const python = (what: string, aim: Attempt["aim"]): Attempt => ({
  what,
  technique: "python",
  aim,
});

export function kernelAttempts({ processIds }: AttackAims): readonly Attempt[] {
  return [
    shell("flushing the rules", "nft flush ruleset"),
    shell("reading the rules", "nft list ruleset"),
    shell("flushing them in a user namespace of its own", "unshare -Ur nft flush ruleset"),
    shell("an address of its choice", "ip addr add 10.244.0.99/16 dev eth0"),
    shell("a route of its choice", "ip route add 10.99.0.0/16 dev eth0"),
    shell("taking its interface down", "ip link set eth0 down"),
    shell("a kernel setting", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"),
    python("namespaces of other processes", { call: "join_namespaces", process_ids: processIds }),
    shell("the pod's network, as root of a user namespace", "unshare -Ur nsenter -t 1 -n true"),
    shell("root of a user namespace", "unshare -U true"),
    shell("control groups", "unshare -UrCm mount -t cgroup2 groups /tmp"),
    shell("writing to the machine's files", "mount -o remount,rw,bind /etc"),
    shell("another root", "chroot /proc/1/root true"),
    python("being root", { call: "become", user: 0 }),
    python("a socket to the hypervisor", { call: "machine_socket" }),
  ];
}

export function machineAttempts({ manifests, home, hostPort }: AttackAims): readonly Attempt[] {
  const call = (what: string, host: string, port: number = hostPort): Attempt => ({
    what,
    technique: "say",
    aim: { host, port, text: HTTP },
    proof: HTTP_SAYS,
  });
  const read = (what: string, paths: readonly string[]): Attempt => ({
    what,
    technique: "read",
    aim: { paths },
  });
  return [
    call("the host's loopback", "127.0.0.1"),
    call("the host's loopback, by the bridge", ROUTER_ADDRESSES.ipv4),
    call("the host's loopback, mapped to IPv6", "::ffff:127.0.0.1"),
    call("the host's loopback, by NAT64", "64:ff9b::7f00:1"),
    call("the host's loopback, by 6to4", "2002:7f00:1::"),
    call("the host's loopback, compatible to IPv4", "::127.0.0.1"),
    call("the address that is none", "0.0.0.0"),
    call("the gateway's own port", ROUTER_ADDRESSES.ipv4, ROUTER_PORTS.egress),
    call("what a cloud tells its machines", "169.254.169.254", 80),
    read("sockets of services", SOCKETS),
    read(
      "devices",
      DEVICES.map((name) => `/dev/${name}`),
    ),
    read(
      "homes, the user's and root's",
      [home, "/root"].flatMap((one) => PRIVATE_FILES.map((name) => join(one, name))),
    ),
    read("shared memory and queues", ["/dev/shm", "/dev/mqueue"]),
    {
      what: "writing outside /tmp",
      technique: "write",
      aim: { folders: [manifests, "/", "/etc", "/usr", "/opt", "/var/lib", "/sys/fs/cgroup"] },
    },
    python("the terminal", { call: "open_terminal" }),
  ];
}
