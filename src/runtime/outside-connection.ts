/** Connections to the outside, made by the host side: a network namespace has no way out of its own. */
import { connect, type Socket } from "node:net";
import { readFirstLine } from "./first-line.ts";
import { connectLine, MAX_GATE_LINE_BYTES, parseGateAnswer } from "./gate-lines.ts";
import { HauberkError } from "./hauberk-error.ts";

/** More than the host side takes to give up. */
const TIMEOUT_MS = 15_000;

/** The host side did not connect; its code says why. */
export class EgressRefusedError extends HauberkError {
  readonly code = "HAUBERK_EGRESS_REFUSED";
}

/**
 * @param egressSocket path of the host side's Unix socket
 * @returns a paused connection that carries the target's bytes
 * @throws EgressRefusedError, or NoFirstLineError when the host side does not answer
 */
export async function connectOutside(
  { address, port }: { readonly address: string; readonly port: number },
  { egressSocket, signal }: { readonly egressSocket: string; readonly signal: AbortSignal },
): Promise<Socket> {
  const socket = connect({ path: egressSocket, allowHalfOpen: true });
  const leave = (): unknown => socket.destroy();
  signal.addEventListener("abort", leave, { once: true });
  try {
    socket.write(connectLine(address, port));
    const line = await readFirstLine(socket, {
      maxBytes: MAX_GATE_LINE_BYTES,
      timeoutMs: TIMEOUT_MS,
    });
    const answer = parseGateAnswer(line);
    if (answer === "connected") return socket;
    throw new EgressRefusedError(answer.failed);
  } catch (error) {
    socket.on("error", leave).destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
