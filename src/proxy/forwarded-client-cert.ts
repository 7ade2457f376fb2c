/** The `x-forwarded-client-cert` header: tells an application who called it (OBS-30..OBS-36). */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Peer } from "./peer.ts";

export const FORWARDED_CLIENT_CERT = "x-forwarded-client-cert";

/** Unquoted values hold nothing that separates; within quotes a backslash takes the next character with it. */
const PAIR = String.raw`(?:By|Hash|Cert|Chain|Subject|URI|DNS)=(?:[!#-+\--:<>-[\]-~]*|"(?:[^"\\]|\\.)*")`;
const ELEMENT = `${PAIR}(?:;${PAIR})*`;
const ELEMENTS = new RegExp(`^${ELEMENT}(?:[ \t]*,[ \t]*${ELEMENT})*$`, "i");

/**
 * Appends an element for the verified caller to what the caller itself forwarded: an application may trust only the
 * last one (OBS-36). What is no list of elements (OBS-33) is left out, lest an open quote swallow ours.
 *
 * @param received the header as the caller sent it, if it did
 */
export function appendForwardedClientCert(
  received: string | undefined,
  { own, peer }: { readonly own: SpiffeId; readonly peer: Peer },
): string {
  const element = `By=${own};Hash=${peer.certificateHash};Subject="";URI=${peer.id}`;
  return received !== undefined && ELEMENTS.test(received) ? `${received},${element}` : element;
}
