/**
 * Asks the Linux kernel for one socket by its two ends, over netlink. Reading the table of all sockets instead costs
 * tens of milliseconds once a few thousand connections have come and gone; this costs microseconds.
 * Source: https://man7.org/linux/man-pages/man7/sock_diag.7.html
 */
import { isIPv4 } from "node:net";
import { endianness, platform } from "node:os";
import koffi from "koffi";
import type { SocketEnds } from "./socket-table.ts";

/** An inode; "absent" when the kernel knows no such socket, "unknown" when it did not say. */
export type Diagnosis = string | "absent" | "unknown";
export type DiagnoseSocket = (ends: SocketEnds) => Diagnosis;

const AF_INET = 2;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const NLMSG_ERROR = 2;
const IPPROTO_TCP = 6;
const ALL_STATES = 0xffffffff;
const NO_COOKIE = 0xffffffff;
const HEADER_BYTES = 16;
const REQUEST_BYTES = HEADER_BYTES + 56;
/** `inet_diag_msg.idiag_inode`, counted from the message's header. */
const INODE_OFFSET = HEADER_BYTES + 68;
const ERROR_OFFSET = HEADER_BYTES;
const ENOENT = -2;
const MSG_DONTWAIT = 0x40;
const MAX_ANSWER_BYTES = 8_192;
/** An answer to an earlier question may still be there. */
const MAX_ANSWERS = 4;

/** @returns undefined where the kernel cannot be asked so; the table must be read then */
export function openSocketDiagnosis(): DiagnoseSocket | undefined {
  if (platform() !== "linux" || endianness() !== "LE") return undefined;
  try {
    return connectDiagnosis();
  } catch {
    return undefined; // no such library, or a sandbox that forbids netlink
  }
}

function connectDiagnosis(): DiagnoseSocket | undefined {
  const library = koffi.load(null);
  const openSocket = library.func("int socket(int, int, int)");
  const send = library.func("long send(int, const uint8_t*, size_t, int)");
  const receive = library.func("long recv(int, _Out_ uint8_t*, size_t, int)");
  const descriptor = Number(openSocket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG));
  if (descriptor < 0) return undefined;
  const answer = Buffer.alloc(MAX_ANSWER_BYTES);
  let sequence = 0;
  const nextAnswer = (): Buffer => {
    const length = Number(receive(descriptor, answer, answer.length, MSG_DONTWAIT));
    return answer.subarray(0, Math.max(0, length));
  };
  return (ends) => {
    if (!isIPv4(ends.local.address) || !isIPv4(ends.remote.address)) return "unknown";
    sequence = (sequence + 1) >>> 0;
    const request = encodeRequest(ends, sequence);
    if (Number(send(descriptor, request, request.length, 0)) !== request.length) return "unknown";
    for (let received = 0; received < MAX_ANSWERS; received++) {
      const next = nextAnswer();
      if (next.length < HEADER_BYTES + 4) return "unknown";
      if (next.readUInt32LE(8) === sequence) return readInode(next);
    }
    return "unknown";
  };
}

function encodeRequest({ local, remote }: SocketEnds, sequence: number): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeUInt32LE(REQUEST_BYTES, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(NLM_F_REQUEST, 6);
  request.writeUInt32LE(sequence, 8);
  request.writeUInt8(AF_INET, HEADER_BYTES);
  request.writeUInt8(IPPROTO_TCP, HEADER_BYTES + 1);
  request.writeUInt32LE(ALL_STATES, HEADER_BYTES + 4);
  const id = HEADER_BYTES + 8;
  request.writeUInt16BE(local.port, id);
  request.writeUInt16BE(remote.port, id + 2);
  request.set(local.address.split(".").map(Number), id + 4);
  request.set(remote.address.split(".").map(Number), id + 20);
  request.writeUInt32LE(NO_COOKIE, id + 40);
  request.writeUInt32LE(NO_COOKIE, id + 44);
  return request;
}

/** A socket without an inode belongs to nobody any more, as one that waits for its time to pass. */
function readInode(answer: Buffer): Diagnosis {
  if (answer.readUInt16LE(4) === NLMSG_ERROR) {
    return answer.readInt32LE(ERROR_OFFSET) === ENOENT ? "absent" : "unknown";
  }
  if (answer.length < INODE_OFFSET + 4) return "unknown";
  const inode = answer.readUInt32LE(INODE_OFFSET);
  return inode === 0 ? "absent" : String(inode);
}
