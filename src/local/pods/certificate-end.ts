/** Asks a sidecar of this machine which certificates it has. */
import type { SidecarCertificates } from "../../identity/sidecar-certificates.ts";
import { askSidecar } from "./ask-sidecar.ts";

/** Those of a sidecar of several processes are asked in turn, for two seconds each at most, side by side. */
const PATIENCE_MS = 3_000;

export interface CertificateEnds {
  /** Of its certificate, or of the first to end of several; ISO 8601. */
  readonly ends: string;
  /** Of a sidecar of several processes each one's, in their order; null for one that has none, or does not say. */
  readonly ofProcesses?: readonly (string | null)[];
}

/**
 * @param socket of the sidecar's administration; undefined where there is none
 * @returns undefined when the sidecar does not say
 */
export async function certificateEnds(
  socket: string | undefined,
): Promise<CertificateEnds | undefined> {
  if (socket === undefined) return undefined;
  try {
    const answer = await askSidecar(socket, { path: "/certs", patienceMs: PATIENCE_MS });
    const { notAfter, processes } = JSON.parse(answer) as SidecarCertificates; // of this same version
    if (notAfter === null) return undefined;
    const ofProcesses = processes?.map((one) => one.notAfter);
    return { ends: notAfter, ...(ofProcesses && { ofProcesses }) };
  } catch {
    return undefined; // whoever asks sees that the sidecar does not answer
  }
}
