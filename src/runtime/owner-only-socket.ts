/** Unix sockets that no other user of the machine can connect to. */
import { rm } from "node:fs/promises";
import type { Server } from "node:net";
import { ListenError } from "./listen-error.ts";

/** A new socket file gets mode 0600. */
const OWNER_ONLY = 0o177;

/**
 * Replaces a socket file that an earlier run left.
 *
 * @throws ListenError
 */
export async function listenOwnerOnly(server: Server, path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await listen(server, path);
  } catch (cause) {
    throw new ListenError(`cannot listen on ${path}`, { cause });
  }
}

/** The file is made before `listen` returns, so that nothing else is made under this mask. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const before = process.umask(OWNER_ONLY);
    try {
      // A worker of several would have it made by another process, which has another mask.
      server.listen({ path, exclusive: true }, () => {
        server.off("error", reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}
