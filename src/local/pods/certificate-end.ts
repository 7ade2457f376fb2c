/** Asks a sidecar of this machine which certificate it has. */
import { once } from "node:events";
import { get } from "node:http";
import type { Socket } from "node:net";
import { json } from "node:stream/consumers";

const PATIENCE_MS = 2_000;

/**
 * @param connect to the sidecar's administration; undefined where there is none
 * @returns when the certificate ends; undefined when the sidecar does not say
 */
export async function certificateEnd(connect: () => Socket | undefined): Promise<Date | undefined> {
  try {
    const socket = connect();
    if (socket === undefined) return undefined;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = { host: "localhost" };
    const request = get({ path: "/certs", headers, createConnection: () => socket, signal });
    const [response] = await once(request, "response", { signal });
    const { notAfter } = (await json(response)) as { readonly notAfter?: string | null };
    return typeof notAfter === "string" ? new Date(notAfter) : undefined;
  } catch {
    return undefined; // whoever reads the status sees that the sidecar does not answer
  }
}
