/**
 * Connects from within another network namespace, without a process in it: the thread enters it for as long as it takes
 * to make a socket, which belongs there ever after. That is how a pod's probes and its sidecar's metrics are asked.
 * Source: https://man7.org/linux/man-pages/man2/setns.2.html
 */
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { isIPv6, Socket } from "node:net";
import type { SocketAddress } from "../../policy/workload.ts";
import { FabricError } from "./fabric-error.ts";

interface Native {
  readonly enter: (descriptor: number, kind: number) => unknown;
  readonly openSocket: (family: number, type: number, protocol: number) => unknown;
  readonly closeDescriptor: (descriptor: number) => unknown;
  readonly setOption: (
    descriptor: number,
    level: number,
    name: number,
    value: Buffer,
    length: number,
  ) => unknown;
  readonly lastError: () => number;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;
const CLONE_NEWNET = 0x40000000;
const SOL_SOCKET = 1;
const SO_MARK = 36;

let native: Native | undefined;

/**
 * Begins to connect; what goes wrong on the way is told by "error", as Node's own sockets do.
 *
 * @param path `PodNetwork.path`
 * @param options.mark set on the socket: `SIDECAR_MARK` for the sidecar's administration, which is closed to others
 * @throws FabricError when the namespace cannot be entered; nothing was sent then
 */
export function connectInside(
  path: string,
  { address, port }: SocketAddress,
  { mark }: { readonly mark?: number } = {},
): Socket {
  return socketFrom(path, { address, mark }).connect(port, address);
}

/** From when the socket has it, the descriptor is the socket's to close. */
function socketFrom(
  path: string,
  { address, mark }: { readonly address: string; readonly mark: number | undefined },
): Socket {
  const descriptor = openInside(path, isIPv6(address) ? AF_INET6 : AF_INET);
  try {
    if (mark !== undefined) setMark(descriptor, mark);
    const options = { fd: descriptor, manualStart: true };
    return new Socket(options);
  } catch (error) {
    native?.closeDescriptor(descriptor);
    throw error;
  }
}

/** Synchronous from the way in to the way out: nothing else of this program runs in between. */
function openInside(path: string, family: number): number {
  native ??= loadNative();
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    const target = openNamespace(path);
    try {
      return openBetween(native, { home, target, family });
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(home);
  }
}

function openNamespace(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new FabricError("the pod has no network", { cause });
  }
}

function openBetween(
  { enter, openSocket, lastError }: Native,
  {
    home,
    target,
    family,
  }: { readonly home: number; readonly target: number; readonly family: number },
): number {
  if (enter(target, CLONE_NEWNET) !== 0) throw refused("enter the pod's network", lastError());
  let descriptor = -1;
  let problem = 0;
  try {
    descriptor = Number(openSocket(family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0));
    problem = lastError();
  } finally {
    // Whatever came after would happen in the wrong network.
    if (enter(home, CLONE_NEWNET) !== 0) process.abort();
  }
  if (descriptor < 0) throw refused("open a socket there", problem);
  return descriptor;
}

function setMark(descriptor: number, mark: number): void {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(mark);
  if (native?.setOption(descriptor, SOL_SOCKET, SO_MARK, value, value.length) !== 0) {
    throw refused("mark a socket", native?.lastError() ?? 0);
  }
}

function refused(what: string, errno: number): FabricError {
  return new FabricError(`the kernel refuses to ${what} (errno ${errno})`);
}

/** Loaded only here, so that a mesh on the loopback needs no native library. */
function loadNative(): Native {
  const require = createRequire(import.meta.url);
  try {
    const koffi: typeof import("koffi") = require("koffi");
    const library = koffi.load(null);
    return {
      enter: library.func("int setns(int, int)"),
      openSocket: library.func("int socket(int, int, int)"),
      closeDescriptor: library.func("int close(int)"),
      setOption: library.func("int setsockopt(int, int, int, const uint8_t*, uint32_t)"),
      lastError: () => koffi.errno(),
    };
  } catch (cause) {
    throw new FabricError("the native library that reaches the kernel does not load", { cause });
  }
}
