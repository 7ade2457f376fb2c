/** Connecting to a Unix socket whose path may be longer than a socket's address. */
import { closeSync, constants, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { basename, dirname } from "node:path";

/** macOS allows 103 bytes, Linux 107. */
const LONGEST = 103;

/** On Linux the folder is opened, and the socket found in it; other systems refuse what is too long. */
export function connectUnixSocket(path: string): Socket {
  if (Buffer.byteLength(path) <= LONGEST || process.platform !== "linux") return connect(path);
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  const socket = connect(`/proc/self/fd/${folder}/${basename(path)}`);
  let isOpen = true;
  const release = (): void => {
    if (isOpen) closeSync(folder);
    isOpen = false;
  };
  return socket.once("connect", release).once("close", release);
}
