/** The `openssl` program, for what only another implementation can say. */
import { spawn } from "node:child_process";
import { once } from "node:events";

const TIMEOUT_MS = 20_000;

/** @returns its exit code and everything it printed, on both streams */
export async function openssl(
  parameters: readonly string[],
  input: string | Uint8Array = "",
): Promise<{ readonly code: number; readonly text: string }> {
  const child = spawn("openssl", parameters, { timeout: TIMEOUT_MS });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      text += part.toString("latin1");
    });
  }
  child.stdin.on("error", () => child.stdin.destroy()); // it may end before it has read all
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? -1, text };
}
