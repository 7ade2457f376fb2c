/** Which socket of this machine is at the other end of a connection: asked of the kernel, else looked up in its tables. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { SharedRun } from "./shared-run.ts";
import { type DiagnoseSocket, openSocketDiagnosis } from "./socket-diagnosis.ts";
import { findSocketInodes, type SocketEnds } from "./socket-table.ts";

/** Rows may be missed while the kernel's table changes under the reader. */
const READINGS = 3;
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

let kernel: { readonly diagnose: DiagnoseSocket | undefined } | undefined;
/** A table may hold tens of thousands of rows: it is never read twice at once. */
const tables: SharedRun<SocketEnds, string> = new SharedRun(readTables);

/** @returns the socket's inode; undefined when there is none, or nobody has it any more */
export async function clientSocket(ends: SocketEnds): Promise<string | undefined> {
  kernel ??= { diagnose: openSocketDiagnosis() };
  const diagnosis = kernel.diagnose?.(ends) ?? "unknown";
  if (diagnosis === "unknown") return tables.ask(ends);
  return diagnosis === "absent" ? undefined : diagnosis;
}

/** Exported for the test: most systems never come here. */
export async function readTables(
  wanted: ReadonlySet<SocketEnds>,
): Promise<ReadonlyMap<SocketEnds, string>> {
  const found = new Map<SocketEnds, string>();
  for (let reading = 0; reading < READINGS; reading++) {
    for (const table of TABLES) {
      const missing = [...wanted].filter((ends) => !found.has(ends));
      if (missing.length === 0) return found;
      const text = existsSync(table) ? await readFile(table, "latin1") : "";
      for (const [ends, inode] of findSocketInodes(text, missing)) found.set(ends, inode);
    }
  }
  return found;
}
