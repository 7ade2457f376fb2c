/** `kubectl exec`: over a WebSocket, or over SPDY. */
import { finished } from "node:stream/promises";
import { describeError } from "../../../runtime/hauberk-error.ts";
import { upgradeToSpdy } from "../spdy/upgrade-to-spdy.ts";
import { offeredProtocol, openWebSocket, type UpgradedConnection } from "../web-socket.ts";
import { type ExecClient, exitStatus } from "./exec-client.ts";
import type { ExecWish } from "./exec-wish.ts";
import { EXEC_SPDY_PROTOCOLS, spdyClient } from "./spdy-client.ts";
import { EXEC_PROTOCOLS, greet, webSocketClient } from "./web-socket-client.ts";

/** @returns the exit code of what is run for that client */
export type RunFor = (client: ExecClient) => Promise<number>;

/** Resolves when it is over. @throws StatusError before it has written anything */
export async function serveExec(
  { wish, run }: { readonly wish: ExecWish; readonly run: RunFor },
  connection: UpgradedConnection,
): Promise<void> {
  const client = await clientOf(connection, wish);
  if (client === undefined) return;
  try {
    const code = await run(client);
    await allSaid(client);
    await client.finish(exitStatus(code));
  } catch (error) {
    const message = `error executing command in container: ${describeError(error)}`;
    await client.finish({ metadata: {}, status: "Failure", reason: "InternalError", message });
  }
}

async function clientOf(
  connection: UpgradedConnection,
  wish: ExecWish,
): Promise<ExecClient | undefined> {
  const protocol = offeredProtocol(connection.message, EXEC_PROTOCOLS);
  if (protocol === undefined) {
    const upgraded = await upgradeToSpdy(connection, EXEC_SPDY_PROTOCOLS);
    return upgraded && (await spdyClient(upgraded.transport, wish));
  }
  const webSocket = await openWebSocket(connection, protocol);
  if (webSocket === undefined) return undefined;
  greet(webSocket);
  return webSocketClient(webSocket);
}

/** What was written has left before it is told how it ended. */
async function allSaid({ output, errors, gone }: ExecClient): Promise<void> {
  const ends = [output, errors].map((one) =>
    finished(one.end(), { signal: gone, readable: false }),
  );
  await Promise.allSettled(ends);
}
