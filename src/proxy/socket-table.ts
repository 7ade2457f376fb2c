/**
 * Reads Linux's tables of TCP sockets. Format: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
import { isIPv6 } from "node:net";
import { endianness } from "node:os";
import type { SocketAddress } from "../policy/workload.ts";

/** One end of a connection: its own address, and the address it is connected to. */
export interface SocketEnds {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** `sl`, both ends, `st`, two queues, timers, `retrnsmt`, `uid`, `timeout`, `inode`. */
const ROW = /^ *\d+: ([0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4}) (?:\S+ +){6}(\d+)/;

/**
 * The inodes of the sockets with these ends: one pass over the table, however many are looked for.
 *
 * @param table the text of `/proc/net/tcp` or `/proc/net/tcp6`
 */
export function findSocketInodes(
  table: string,
  wanted: Iterable<SocketEnds>,
): ReadonlyMap<SocketEnds, string> {
  const byForm = new Map<string, SocketEnds>();
  for (const ends of wanted) {
    for (const form of [ipv4Form, ipv6Form])
      byForm.set(`${form(ends.local)} ${form(ends.remote)}`, ends);
  }
  const found = new Map<SocketEnds, string>();
  for (const row of table.split("\n")) {
    const [, form = "", inode = "0"] = ROW.exec(row) ?? [];
    const ends = byForm.get(form);
    if (ends !== undefined && inode !== "0") found.set(ends, inode);
  }
  return found;
}

/** Never found for an IPv6 address: the text of an IPv4 one is shorter. */
function ipv4Form({ address, port }: SocketAddress): string {
  return `${isIPv6(address) ? "-" : hexWords(ipv4Bytes(address))}:${hexPort(port)}`;
}

/** IPv4 addresses as a dual-stack socket has them. */
function ipv6Form({ address, port }: SocketAddress): string {
  const bytes = isIPv6(address)
    ? ipv6Bytes(address)
    : [...new Array<number>(10).fill(0), 255, 255, ...ipv4Bytes(address)];
  return `${hexWords(bytes)}:${hexPort(port)}`;
}

function ipv4Bytes(address: string): number[] {
  return address.split(".").map(Number);
}

function ipv6Bytes(address: string): number[] {
  const [head = "", tail] = (address.split("%", 1)[0] ?? "").split("::", 2);
  const before = ipv6Groups(head);
  const after = ipv6Groups(tail ?? "");
  const missing = Math.max(0, 16 - before.length - after.length);
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

function ipv6Groups(text: string): number[] {
  return text
    .split(":")
    .filter((group) => group !== "")
    .flatMap((group) => {
      if (group.includes(".")) return ipv4Bytes(group);
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 255];
    });
}

/** The kernel prints addresses as words in the machine's own byte order. */
function hexWords(bytes: readonly number[]): string {
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.slice(at, at + 4);
    const printed = endianness() === "LE" ? word.reverse() : word;
    words.push(Buffer.from(printed).toString("hex").toUpperCase());
  }
  return words.join("");
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
