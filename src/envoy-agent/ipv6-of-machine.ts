/** Whether the machine has IPv6: its kernel may be without. */
import { existsSync } from "node:fs";

export function ipv6OfMachine(): "available" | "absent" {
  const isKnown = process.platform === "linux" && existsSync("/proc/net");
  return isKnown && !existsSync("/proc/net/if_inet6") ? "absent" : "available";
}
