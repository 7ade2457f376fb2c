/** Asks a sidecar of this machine which certificates it has. */
import { once } from "node:events";
import { get } from "node:http";
import type { Socket } from "node:net";
import { json } from "node:stream/consumers";
import type { SidecarCertificates } from "../../identity/sidecar-certificates.ts";

const PATIENCE_MS = 2_000;

/**
 * @param connect to the sidecar's administration; undefined where there is none
 * @returns undefined when the sidecar does not say
 */
export async function sidecarCertificates(
  connect: () => Socket | undefined,
): Promise<SidecarCertificates | undefined> {
  try {
    const socket = connect();
    if (socket === undefined) return undefined;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = { host: "localhost" };
    const request = get({ path: "/certs", headers, createConnection: () => socket, signal });
    const [response] = await once(request, "response", { signal });
    return (await json(response)) as SidecarCertificates; // of this same version
  } catch {
    return undefined; // whoever asks sees that the sidecar does not answer
  }
}

/**
 * @param connect to the sidecar's administration; undefined where there is none
 * @returns when the certificate ends; undefined when the sidecar does not say
 */
export async function certificateEnd(connect: () => Socket | undefined): Promise<Date | undefined> {
  const notAfter = (await sidecarCertificates(connect))?.notAfter;
  return typeof notAfter === "string" ? new Date(notAfter) : undefined;
}
