/** Folders of host sides that were killed: nobody else is left who would remove them. */
import { once } from "node:events";
import { lstat, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

/** What the names of such folders begin with. */
export const GATE_FOLDER = "hauberk-gate-";
/** In such a folder; whoever listens on it owns the folder. */
export const EGRESS_SOCKET = "egress.sock";

/**
 * Removes our own on whose socket nobody listens any more; one that has no socket yet is being made.
 *
 * @param temporary folder in which they are made
 */
export async function removeStaleGates(temporary: string): Promise<void> {
  const names = await readdir(temporary);
  const gates = names.filter((name) => name.startsWith(GATE_FOLDER));
  await Promise.all(gates.map((name) => removeStaleGate(join(temporary, name))));
}

async function removeStaleGate(folder: string): Promise<void> {
  if (!(await isOurs(folder)) || !(await isAbandoned(join(folder, EGRESS_SOCKET)))) return;
  await rm(folder, { recursive: true, force: true });
}

async function isOurs(folder: string): Promise<boolean> {
  try {
    const found = await lstat(folder);
    return found.isDirectory() && found.uid === process.getuid?.();
  } catch {
    return false; // removed by its owner meanwhile
  }
}

/** A socket that is there, and refuses: its listener has ended without removing it. */
async function isAbandoned(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
