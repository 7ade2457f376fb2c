/**
 * Lets sockets read into memory that all of them share, in place of 64 KiB of their own for each read. Node does so for
 * sockets that it connects (`onread`); for those it accepts, the same is done here by what `onread` sets inside. Where that
 * is not found, nothing is changed, and sockets read as they always do.
 */
import { Socket } from "node:net";

const SHARED_BYTES = 65_536;

interface Internals {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let shared: Buffer | undefined;
const internals = findInternals();

/**
 * @param take is given each read that comes from now on; the bytes are its own until it returns, when it says whether to
 *   read on. What was read before comes as `data` does
 * @returns whether it is called at all
 */
export function readShared(
  socket: Socket,
  take: (bytes: Buffer, length: number) => boolean,
): boolean {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (internals === undefined || typeof handle !== "object" || handle === null) return false;
  const use: unknown = Reflect.get(handle, "useUserBuffer");
  if (typeof use !== "function" || Reflect.get(socket, internals.buffer) !== null) return false;
  shared ??= Buffer.allocUnsafeSlow(SHARED_BYTES);
  const bytes = shared;
  Reflect.set(socket, internals.buffer, bytes);
  Reflect.set(socket, internals.callback, (length: number) => take(bytes, length));
  Reflect.apply(use, handle, [bytes]);
  return true;
}

/** As a socket that was made with `onread` has them. */
function findInternals(): Internals | undefined {
  const buffer = Buffer.alloc(1);
  const callback = (): boolean => true;
  // The types know it of sockets that connect, but it is the constructor that takes it.
  const options = { allowHalfOpen: false, onread: { buffer, callback } };
  const made = new Socket(options);
  const ordinary = new Socket();
  const symbols = Object.getOwnPropertySymbols(made);
  const found = {
    buffer: symbols.find((symbol) => Reflect.get(made, symbol) === buffer),
    callback: symbols.find((symbol) => Reflect.get(made, symbol) === callback),
  };
  if (found.buffer === undefined || found.callback === undefined) return undefined;
  if (Reflect.get(ordinary, found.buffer) !== null) return undefined;
  return { buffer: found.buffer, callback: found.callback };
}
