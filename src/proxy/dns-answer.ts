/** What a name means in the mesh, or that somebody else has to be asked. Pure. */
import type { NameAddresses, NameTable } from "../policy/name-table.ts";
import type { DnsQuery, DnsRecord, DnsReply } from "./dns-message.ts";
import { reverseZoneOf } from "./dns-reverse-names.ts";

/** With the longest name, more would not fit a message of 65,535 bytes. */
const MAX_RECORDS = 200;
const LOCALHOST: NameAddresses = { ipv4: ["127.0.0.1"], ipv6: ["::1"] };
const CLUSTER_ZONE = "cluster.local";
const MAX_TURN = 0x7fff_ffff;

export interface NameKnowledge {
  readonly table: NameTable;
  /** Whose services are meant by a name alone. */
  readonly namespace?: string | undefined;
  /** By `1.0.96.10.in-addr.arpa` and the like. */
  readonly reverseNames: ReadonlyMap<string, string>;
  /** Counts up with every question, so that each address comes first in its turn. */
  readonly turn: number;
}

/** "forward": the name is not of this mesh. */
export function answerDnsQuery(
  { name, type, recordClass, extension }: DnsQuery,
  { table, namespace, reverseNames, turn }: NameKnowledge,
): DnsReply | "forward" {
  if (extension === "unknown-version") return { code: "NOERROR", records: [] };
  if (recordClass !== "IN" || type === "AXFR" || type === "IXFR") return REFUSED;
  const reverseZone = reverseZoneOf(name);
  if (reverseZone !== undefined) {
    const host = reverseNames.get(name);
    if (host === undefined) return { code: "NXDOMAIN", records: [], zone: reverseZone };
    return found(asksFor(type, "PTR") ? [{ type: "PTR", host }] : [], reverseZone);
  }
  if (isLocalhost(name)) return found(recordsOf(LOCALHOST, type), "localhost");
  const answer = table.find(name, { namespace });
  if (answer === "not-ours") return "forward";
  if (answer === "no-such-name") return { code: "NXDOMAIN", records: [], zone: zoneOf(name) };
  return found(rotated(recordsOf(answer, type), turn), zoneOf(name));
}

const REFUSED: DnsReply = { code: "REFUSED", records: [] };

/** A name without a record of the type is told apart from a name that does not exist (RFC 2308 section 2.2). */
function found(records: readonly DnsRecord[], zone: string): DnsReply {
  return records.length > 0
    ? { code: "NOERROR", records: records.slice(0, MAX_RECORDS) }
    : { code: "NOERROR", records, zone };
}

function recordsOf({ ipv4, ipv6 }: NameAddresses, type: string): DnsRecord[] {
  return [
    ...(asksFor(type, "A") ? ipv4.map((address) => ({ type: "A", address }) as const) : []),
    ...(asksFor(type, "AAAA") ? ipv6.map((address) => ({ type: "AAAA", address }) as const) : []),
  ];
}

function asksFor(type: string, wanted: DnsRecord["type"]): boolean {
  return type === wanted || type === "ANY";
}

/** Such a name never leaves the machine (RFC 6761 section 6.3). */
function isLocalhost(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}

function zoneOf(name: string): string {
  if (`.${name}`.endsWith(`.${CLUSTER_ZONE}`)) return CLUSTER_ZONE;
  return name.slice(name.lastIndexOf(".") + 1);
}

function rotated<T>(items: readonly T[], turn: number): readonly T[] {
  if (items.length < 2) return items;
  const first = turn % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** The turn after `turn`. */
export function nextTurn(turn: number): number {
  return turn === MAX_TURN ? 0 : turn + 1;
}
