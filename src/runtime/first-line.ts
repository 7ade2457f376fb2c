/** The first line of a connection, where a word about what is wanted, or how it went, comes before plain bytes. */
import type { Socket } from "node:net";
import { HauberkError } from "./hauberk-error.ts";

const LINE_END = 0x0a;

/** A connection that should begin with a line ended, fell silent, or went on too long before its end. */
export class NoFirstLineError extends HauberkError {
  readonly code = "HAUBERK_NO_FIRST_LINE";
}

/**
 * Takes the line, without its end, off the connection; what follows is still to be read then, and the connection is
 * paused.
 *
 * @throws NoFirstLineError
 */
export function readFirstLine(
  socket: Socket,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    let pending: Buffer = Buffer.alloc(0);
    const leave = (): void => {
      clearTimeout(timer);
      socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", fail);
    };
    const fail = (cause: unknown): void => {
      leave();
      reject(new NoFirstLineError("no line came first", { cause }));
    };
    const onEnd = (): void => fail(new Error("the connection ended"));
    const onData = (chunk: Buffer): void => {
      pending = Buffer.concat([pending, chunk]);
      const end = pending.indexOf(LINE_END);
      if (end > maxBytes || (end < 0 && pending.length > maxBytes)) {
        fail(new Error(`it is longer than ${maxBytes} bytes`));
        return;
      }
      if (end < 0) return;
      leave();
      socket.pause();
      const rest = pending.subarray(end + 1);
      if (rest.length > 0) socket.unshift(rest);
      resolve(pending.toString("latin1", 0, end));
    };
    const timer = setTimeout(() => fail(new Error(`nothing within ${timeoutMs} ms`)), timeoutMs);
    socket.on("data", onData).once("end", onEnd).once("close", onEnd).once("error", fail);
  });
}
