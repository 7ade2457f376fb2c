/** Asks a sidecar of this machine which certificate it has. */
import { LOOPBACK } from "../local/port-allocator.ts";

const PATIENCE_MS = 2_000;

/** @returns when the certificate ends; undefined when the sidecar does not say */
export async function certificateEnd(adminPort: number): Promise<Date | undefined> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`http://${LOOPBACK}:${adminPort}/certs`, { signal });
    const { notAfter } = (await response.json()) as { readonly notAfter?: string | null };
    return typeof notAfter === "string" ? new Date(notAfter) : undefined;
  } catch {
    return undefined; // whoever reads the status sees that the sidecar does not answer
  }
}
