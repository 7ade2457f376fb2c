/**
 * A sidecar's administration: a Unix socket in a folder that is closed to others, by which whoever runs the mesh reads
 * what the sidecar holds, and changes what it does. Nothing here is served over TCP, and nothing here is secret.
 */
import type { Server } from "node:http";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { refuseOpenFolder } from "../runtime/owner-only-folder.ts";
import { listenOwnerOnly } from "../runtime/owner-only-socket.ts";
import { closeAdminHttp, createAdminHttp } from "./admin-http.ts";
import type { AnswerAdmin } from "./admin-routes.ts";

export interface AdminSocketOptions {
  /** In a folder that nobody else may enter. */
  readonly path: string;
  readonly answer: AnswerAdmin;
  readonly log: Log;
}

export interface AdminSocket {
  close(): Promise<void>;
}

/** A command asks once, and goes. */
const MAX_CONNECTIONS = 16;

/**
 * Replaces a socket file that an earlier run left.
 *
 * @throws ListenError
 */
export async function openAdminSocket({
  path,
  answer,
  log,
}: AdminSocketOptions): Promise<AdminSocket> {
  const server: Server = createAdminHttp({ answer, maxConnections: MAX_CONNECTIONS, log });
  await refuseOpenFolder(path);
  await listenOwnerOnly(server, path);
  server.on("error", (error) =>
    log.error("admin socket failed", { problem: describeError(error) }),
  );
  return { close: () => closeAdminHttp(server) };
}
