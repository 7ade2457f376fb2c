/** Which connections programs of a pod have open, as Linux tells it. Source: proc_pid_net(5), `tcp` and `tcp6`. */
import { readFile } from "node:fs/promises";

const ESTABLISHED = "01";

/**
 * @param processId of a process in the network that is meant
 * @param ports that somebody listens on there
 * @returns how many connections to them are open; 0 where the system does not tell
 */
export async function establishedConnections(
  processId: number,
  ports: readonly number[],
): Promise<number> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${processId}/net/${name}`, "latin1").catch(none)),
  );
  const suffixes = new Set(ports.map((port) => port.toString(16).toUpperCase().padStart(4, "0")));
  return tables
    .flatMap((table) => table.split("\n").slice(1))
    .filter((row) => {
      const [, local = "", , state] = row.trim().split(/\s+/);
      return state === ESTABLISHED && suffixes.has(local.slice(local.lastIndexOf(":") + 1));
    }).length;
}

/** It has ended, or this is no Linux. */
const none = (): string => "";
