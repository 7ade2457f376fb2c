/** What this machine's cryptography can do at most, measured by OpenSSL itself in the same run. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const LAST_LINE = /nistp256\)\s+\S+s\s+\S+s\s+([\d.]+)\s+([\d.]+)/;

export interface OpensslBound {
  /** P-256 signatures a second, on one core. */
  readonly signs: number;
  readonly verifies: number;
}

/** @param seconds of each measurement */
export async function measureOpenssl(seconds: number): Promise<OpensslBound> {
  const run = promisify(execFile);
  const { stdout } = await run("openssl", ["speed", "-seconds", `${seconds}`, "ecdsap256"]);
  const [, signs, verifies] = LAST_LINE.exec(stdout) ?? [];
  if (signs === undefined || verifies === undefined)
    throw new Error("openssl speed printed no figures for ecdsap256");
  return { signs: Number(signs), verifies: Number(verifies) };
}

/** One verification and one signature: what a certificate takes at least. */
export function certificatesPerSecond({ signs, verifies }: OpensslBound): number {
  return 1 / (1 / signs + 1 / verifies);
}
