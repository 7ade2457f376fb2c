/** Questions about addresses and ports (AP-50, AP-51, AP-56, AP-81, AP-82, AP-92, AP-93). */
import { isIPv4, isIPv6 } from "node:net";
import type { Question } from "./asked.ts";

/** AP-50: the direct peer, never what a header says. */
export const askSourceAddress: Question = (value, { traffic }) =>
  isInRange(traffic.connection.sourceAddress, value);

/** AP-51; where no request says more, it is the peer. */
export const askRemoteAddress: Question = (value, { traffic }) =>
  isInRange(traffic.request?.remoteAddress ?? traffic.connection.sourceAddress, value);

/** AP-92 */
export const askDestinationAddress: Question = (value, { traffic }) =>
  isInRange(traffic.connection.destinationAddress, value);

/** AP-56, AP-93 */
export const askDestinationPort: Question = (value, { traffic }) => {
  if (!/^[0-9]+$/.test(value) || Number(value) > 65_535) return "untranslatable";
  return Number(value) === traffic.connection.destinationPort;
};

/** AP-50a: host bits are masked, and a range of one family has no address of the other. */
function isInRange(address: string, range: string): boolean | "untranslatable" {
  const slash = range.indexOf("/");
  const base = bitsOf(slash < 0 ? range : range.slice(0, slash));
  if (base === undefined) return "untranslatable";
  const length = slash < 0 ? `${base.length}` : range.slice(slash + 1);
  if (!/^(0|[1-9][0-9]*)$/.test(length) || Number(length) > base.length) return "untranslatable";
  const bits = bitsOf(address);
  if (bits === undefined || bits.length !== base.length) return false;
  return bits.startsWith(base.slice(0, Number(length)));
}

/** 32 or 128 zeros and ones. */
function bitsOf(address: string): string | undefined {
  if (isIPv4(address))
    return bytesOf(address)
      .map((byte) => binary(byte, 8))
      .join("");
  if (isIPv6(address) && !address.includes("%")) return groupsOf(address).join("");
  return undefined;
}

function bytesOf(address: string): number[] {
  return address.split(".").map(Number);
}

/** Eight groups of sixteen bits, those that `::` leaves out included. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = writtenGroups(head);
  if (tail === undefined) return before;
  const after = writtenGroups(tail);
  const left = Array.from({ length: 8 - before.length - after.length }, () => binary(0, 16));
  return [...before, ...left, ...after];
}

function writtenGroups(text: string): string[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [binary(Number.parseInt(group, 16), 16)];
    const [a = 0, b = 0, c = 0, d = 0] = bytesOf(group);
    return [binary(a * 256 + b, 16), binary(c * 256 + d, 16)];
  });
}

function binary(number: number, digits: number): string {
  return number.toString(2).padStart(digits, "0");
}
