/** Asks a sidecar of this machine which certificate it has. */
import type { SidecarCertificates } from "../../identity/sidecar-certificates.ts";
import { askSidecar } from "./ask-sidecar.ts";

const PATIENCE_MS = 2_000;

/**
 * @param socket of the sidecar's administration; undefined where there is none
 * @returns when the certificate ends; undefined when the sidecar does not say
 */
export async function certificateEnd(socket: string | undefined): Promise<Date | undefined> {
  if (socket === undefined) return undefined;
  try {
    const answer = await askSidecar(socket, { path: "/certs", patienceMs: PATIENCE_MS });
    const { notAfter } = JSON.parse(answer) as SidecarCertificates; // of this same version
    const end = new Date(notAfter ?? Number.NaN);
    return Number.isNaN(end.getTime()) ? undefined : end;
  } catch {
    return undefined; // whoever asks sees that the sidecar does not answer
  }
}
