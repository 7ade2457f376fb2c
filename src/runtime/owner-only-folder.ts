/** Folders that no other user of the machine may enter. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ListenError } from "./listen-error.ts";

const OTHERS = 0o077;

/**
 * Checks the folder that a socket is to be made in.
 *
 * @param path of the socket
 * @throws ListenError when the folder is not there, is another user's, or others may enter it
 */
export async function refuseOpenFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder).catch((cause: unknown) => {
    throw new ListenError(`cannot listen on ${path}: its folder is not there`, { cause });
  });
  const isOwn = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !isOwn)
    throw new ListenError(`cannot listen on ${path}: ${folder} is not a folder of this user`);
  if ((found.mode & OTHERS) !== 0)
    throw new ListenError(`cannot listen on ${path}: ${folder} is open to other users`);
}
