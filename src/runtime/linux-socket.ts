/**
 * What Linux knows of a TCP connection and Node does not tell: where a redirected one was going, and a mark or a source
 * address for one of our own, by which the rules that redirect know it. The one place that reaches below Node's sockets.
 * Source: https://man7.org/linux/man-pages/man7/ip.7.html, https://man7.org/linux/man-pages/man7/socket.7.html
 */
import { createRequire } from "node:module";
import { isIP, type Server, Socket } from "node:net";
import { endianness, platform } from "node:os";
import { HauberkError } from "./hauberk-error.ts";

export interface InternetAddress {
  readonly address: string;
  readonly port: number;
}

export interface ConnectFromOptions {
  /** SO_MARK, which needs CAP_NET_ADMIN; absent leaves the socket unmarked. */
  readonly mark?: number | undefined;
  /** Of the same family as the address that is dialled. */
  readonly sourceAddress?: string | undefined;
}

/** A socket could not be made as asked: not on Linux, without the native library, or without the capability for it. */
export class LinuxSocketError extends HauberkError {
  readonly code = "HAUBERK_LINUX_SOCKET";
}

interface Native {
  readonly openSocket: (family: number, type: number, protocol: number) => unknown;
  readonly closeDescriptor: (descriptor: number) => unknown;
  readonly control: (descriptor: number, command: number, argument: number) => unknown;
  readonly bind: (descriptor: number, address: Buffer, length: number) => unknown;
  readonly setOption: (
    descriptor: number,
    level: number,
    name: number,
    value: Buffer,
    length: number,
  ) => unknown;
  readonly getOption: (
    descriptor: number,
    level: number,
    name: number,
    value: Buffer,
    length: Uint32Array,
  ) => unknown;
  readonly readAddress: (family: number, text: string, address: Buffer) => unknown;
  readonly writeAddress: (family: number, address: Buffer, text: Buffer, length: number) => unknown;
  readonly lastError: () => number;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;
const F_DUPFD_CLOEXEC = 1030;
const SOL_IP = 0;
const SOL_SOCKET = 1;
const SOL_IPV6 = 41;
const SO_MARK = 36;
const SO_PEERCRED = 17;
/** `struct ucred`. */
const CREDENTIAL_BYTES = 12;
const IP_BIND_ADDRESS_NO_PORT = 24;
/** IP6T_SO_ORIGINAL_DST has the same number. */
const SO_ORIGINAL_DST = 80;
const INTEGER_BYTES = 4;
const IPV4_BYTES = { whole: 16, at: 4, length: 4 };
const IPV6_BYTES = { whole: 28, at: 8, length: 16 };
const MAX_TEXT_BYTES = 46;

let native: Native | undefined;

/**
 * Tries what the other functions need, so that it fails early.
 *
 * @param options.mark that sockets are to have; absent: none
 * @throws LinuxSocketError
 */
export function requireLinuxSockets({ mark }: Pick<ConnectFromOptions, "mark"> = {}): void {
  native ??= loadNative();
  native.closeDescriptor(openDescriptor("127.0.0.1", { mark }));
}

/**
 * Where a connection was going before the kernel redirected it to us; for one that was not redirected, our own end.
 *
 * @returns undefined when the client has left, or the kernel does not follow connections here
 * @throws LinuxSocketError
 */
export function originalDestination(socket: Socket): InternetAddress | undefined {
  native ??= loadNative();
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return undefined;
  const overIpv6 = socket.remoteFamily === "IPv6" && !socket.remoteAddress?.startsWith("::ffff:");
  const bytes = Buffer.alloc(IPV6_BYTES.whole);
  const level = overIpv6 ? SOL_IPV6 : SOL_IP;
  const length = new Uint32Array([bytes.length]);
  const result = native.getOption(descriptor, level, SO_ORIGINAL_DST, bytes, length);
  return result === 0 ? decodeAddress(bytes) : undefined;
}

/**
 * The number of the process that opened the other end of a Unix socket, as it is called here.
 *
 * @returns undefined when the connection is gone, or the process cannot be seen from here
 * @throws LinuxSocketError
 */
export function peerProcessId(socket: Socket): number | undefined {
  native ??= loadNative();
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return undefined;
  const bytes = Buffer.alloc(CREDENTIAL_BYTES);
  const length = new Uint32Array([bytes.length]);
  if (native.getOption(descriptor, SOL_SOCKET, SO_PEERCRED, bytes, length) !== 0) return undefined;
  const processId = bytes.readInt32LE(0);
  return processId > 0 ? processId : undefined;
}

/**
 * Begins to connect from a socket that is marked, or comes from a given address. What goes wrong on the way is told by
 * "error", as Node's own sockets do.
 *
 * @throws LinuxSocketError when the socket cannot be made so; nothing was sent then
 */
export function connectFrom(
  { address, port }: InternetAddress,
  { mark, sourceAddress }: ConnectFromOptions,
): Socket {
  const descriptor = openDescriptor(address, { mark, sourceAddress });
  const socket = new Socket({ allowHalfOpen: true });
  // Node makes the handle now and connects it in the next turn: until then it has no socket, and can be given ours.
  socket.connect({ host: address, port, noDelay: true });
  if (adopt(socket, descriptor) === "adopted") return socket;
  native?.closeDescriptor(descriptor);
  socket.destroy();
  throw new LinuxSocketError("this version of Node does not take over a socket");
}

/**
 * One more descriptor of the socket that a server listens on.
 *
 * @returns undefined when it does not listen, or no descriptor is left
 * @throws LinuxSocketError
 */
export function duplicateListening(server: Server): number | undefined {
  native ??= loadNative();
  const descriptor = descriptorOf(server);
  if (descriptor === undefined) return undefined;
  const duplicate = Number(native.control(descriptor, F_DUPFD_CLOEXEC, 0));
  return duplicate < 0 ? undefined : duplicate;
}

function openDescriptor(
  address: string,
  { mark, sourceAddress }: Pick<ConnectFromOptions, "mark" | "sourceAddress">,
): number {
  native ??= loadNative();
  const family = familyOf(address);
  const descriptor = Number(native.openSocket(family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0));
  if (descriptor < 0) throw refused("open a socket");
  try {
    if (mark !== undefined) setInteger(descriptor, { level: SOL_SOCKET, name: SO_MARK, to: mark });
    if (sourceAddress !== undefined) bindTo(descriptor, sourceAddress);
  } catch (error) {
    native.closeDescriptor(descriptor);
    throw error;
  }
  return descriptor;
}

/** The port is chosen when the other end is known: thousands of connections can then share it. */
function bindTo(descriptor: number, sourceAddress: string): void {
  setInteger(descriptor, { level: SOL_IP, name: IP_BIND_ADDRESS_NO_PORT, to: 1 });
  const source = encodeAddress({ address: sourceAddress, port: 0 });
  if (native?.bind(descriptor, source, source.length) !== 0) {
    throw refused(`come from ${sourceAddress}`);
  }
}

function setInteger(
  descriptor: number,
  { level, name, to }: { readonly level: number; readonly name: number; readonly to: number },
): void {
  const value = Buffer.alloc(INTEGER_BYTES);
  value.writeUInt32LE(to);
  if (native?.setOption(descriptor, level, name, value, value.length) !== 0) {
    throw refused(name === SO_MARK ? "mark a socket" : "choose a source address");
  }
}

function refused(what: string): LinuxSocketError {
  return new LinuxSocketError(`the kernel refuses to ${what} (errno ${native?.lastError()})`);
}

function adopt(socket: Socket, descriptor: number): "adopted" | "refused" {
  const handle = handleOf(socket);
  if (typeof handle !== "object" || handle === null || !("open" in handle)) return "refused";
  if (typeof handle.open !== "function") return "refused";
  return handle.open(descriptor) === 0 && descriptorOf(socket) === descriptor
    ? "adopted"
    : "refused";
}

function descriptorOf(socket: Socket | Server): number | undefined {
  const handle = handleOf(socket);
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  return typeof handle.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}

/** Not documented, and the same in every version of Node that we run on. */
function handleOf(socket: Socket | Server): unknown {
  return "_handle" in socket ? socket._handle : undefined;
}

function familyOf(address: string): typeof AF_INET | typeof AF_INET6 {
  const version = isIP(address);
  if (version === 0) throw new LinuxSocketError(`"${address}" is not an IP address`);
  return version === 4 ? AF_INET : AF_INET6;
}

/** A `sockaddr_in` or `sockaddr_in6`. */
export function encodeAddress({ address, port }: InternetAddress): Buffer {
  native ??= loadNative();
  const family = familyOf(address);
  const { whole, at, length } = family === AF_INET ? IPV4_BYTES : IPV6_BYTES;
  const bytes = Buffer.alloc(whole);
  bytes.writeUInt16LE(family, 0);
  bytes.writeUInt16BE(port, 2);
  if (native.readAddress(family, address, bytes.subarray(at, at + length)) !== 1) {
    throw new LinuxSocketError(`"${address}" is not an address that the kernel knows`);
  }
  return bytes;
}

/** @returns undefined for bytes that are no `sockaddr_in` or `sockaddr_in6` */
export function decodeAddress(bytes: Buffer): InternetAddress | undefined {
  native ??= loadNative();
  const family = bytes.length < 2 ? 0 : bytes.readUInt16LE(0);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const { whole, at, length } = family === AF_INET ? IPV4_BYTES : IPV6_BYTES;
  if (bytes.length < whole) return undefined;
  const text = Buffer.alloc(MAX_TEXT_BYTES);
  native.writeAddress(family, bytes.subarray(at, at + length), text, text.length);
  const address = text.toString("latin1", 0, text.indexOf(0));
  return isIP(address) === 0 ? undefined : { address, port: bytes.readUInt16BE(2) };
}

/** Loaded only here, so that whoever intercepts nothing needs no native library. */
function loadNative(): Native {
  if (platform() !== "linux" || endianness() !== "LE") {
    throw new LinuxSocketError("connections can be intercepted on Linux only");
  }
  const require = createRequire(import.meta.url);
  try {
    const koffi: typeof import("koffi") = require("koffi");
    const library = koffi.load(null);
    return {
      openSocket: library.func("int socket(int, int, int)"),
      closeDescriptor: library.func("int close(int)"),
      control: library.func("int fcntl(int, int, int)"),
      bind: library.func("int bind(int, const uint8_t*, uint32_t)"),
      setOption: library.func("int setsockopt(int, int, int, const uint8_t*, uint32_t)"),
      getOption: library.func("int getsockopt(int, int, int, _Out_ uint8_t*, _Inout_ uint32_t*)"),
      readAddress: library.func("int inet_pton(int, const char*, _Out_ uint8_t*)"),
      writeAddress: library.func(
        "const char* inet_ntop(int, const uint8_t*, _Out_ uint8_t*, uint32_t)",
      ),
      lastError: () => koffi.errno(),
    };
  } catch (cause) {
    throw new LinuxSocketError("the native library that reaches the kernel does not load", {
      cause,
    });
  }
}
