/** Waits until a program that was just started takes connections. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { eventually } from "../../kit/eventually.ts";

/** @param log told when it does not */
export async function untilListening(port: number, log: string): Promise<void> {
  const said = (): string => readFileSync(log, "utf8").slice(-2_000);
  await eventually(
    () => `port ${port} to listen; its log says: ${said()}`,
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, "127.0.0.1");
        socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
        socket.once("connect", () => socket.destroy());
      }),
  );
}
