/** The `x-forwarded-client-cert` header: tells an application who called it (OBS-30..OBS-36). */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Peer } from "./peer.ts";

export const FORWARDED_CLIENT_CERT = "x-forwarded-client-cert";

/**
 * Appends an element for the verified caller to what the caller itself forwarded: an application may trust only the
 * last one (OBS-36).
 *
 * @param received the header as the caller sent it, if it did
 */
export function appendForwardedClientCert(
  received: string | undefined,
  { own, peer }: { readonly own: SpiffeId; readonly peer: Peer },
): string {
  const element = `By=${own};Hash=${peer.certificateHash};Subject="";URI=${peer.id}`;
  return received === undefined || received === "" ? element : `${received},${element}`;
}
