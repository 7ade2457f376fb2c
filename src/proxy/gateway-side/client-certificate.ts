/**
 * The certificate of a client that is none of the mesh: a gateway's server says by which authorities, lists and names it must
 * be good. It makes nobody a principal; policies ask about those of the mesh alone (a deliberate difference).
 */
import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { presentedChain } from "../../identity/presented-chain.ts";
import type { CallerDemands, ClientTrust, GatewayTlsMode } from "../../policy/gateway-view.ts";
import type { Peer, PresentedCertificate } from "../peer.ts";

/** @returns undefined where none was presented */
export function presentedCertificate(socket: TLSSocket): PresentedCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    serialNumber: certificate.serialNumber,
    certificateHash: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    chain: presentedChain(certificate),
  };
}

/** Why a client is not let in, once its handshake is over; undefined: it is. */
export function clientProblem(
  socket: TLSSocket,
  {
    mode,
    trust,
    certificate,
  }: {
    readonly mode: GatewayTlsMode;
    readonly trust: ClientTrust | undefined;
    readonly certificate: PresentedCertificate | undefined;
  },
): string | undefined {
  if (mode !== "MUTUAL" && mode !== "OPTIONAL_MUTUAL") return undefined;
  if (socket.isSessionReused()) return "the session was resumed"; // nobody looks at certificates then
  if (trust === undefined) return "nothing is known of whom to trust";
  if (certificate === undefined)
    return mode === "MUTUAL" ? "no certificate was presented" : undefined;
  if (!socket.authorized) return `its certificate is not trusted: ${socket.authorizationError}`;
  const [leaf] = certificate.chain;
  return leaf === undefined ? "no certificate was presented" : mismatch(leaf, trust);
}

/** Why a caller of the mesh is not one of those that a server is for. */
export function callerProblem(
  { chain: [leaf] }: Peer,
  demands: CallerDemands | undefined,
): string | undefined {
  if (demands === undefined) return undefined;
  return leaf === undefined ? "no certificate was presented" : mismatch(leaf, demands);
}

/** What a certificate that leads to a trusted authority lacks. */
export function mismatch(leaf: X509Certificate, demands: CallerDemands): string | undefined {
  const { subjectAltNames, certificateHashes, publicKeyHashes } = demands;
  if (subjectAltNames.length > 0) {
    const own = namesOf(leaf);
    if (!subjectAltNames.some((name) => own.has(name)))
      return `its certificate has none of the names ${subjectAltNames.join(", ")}`;
  }
  if (certificateHashes.length + publicKeyHashes.length === 0) return undefined;
  const hash = leaf.fingerprint256.replaceAll(":", "").toLowerCase();
  if (certificateHashes.includes(hash) || publicKeyHashes.includes(publicKeyHash(leaf)))
    return undefined;
  return "its certificate has none of the hashes that are let in";
}

/** Names that Node had to quote are nobody's: what is in them could pass for another. */
function namesOf({ subjectAltName = "" }: X509Certificate): ReadonlySet<string> {
  return new Set(
    subjectAltName
      .split(", ")
      .flatMap((entry) => /^(?:DNS|URI|email|IP Address):([^"]+)$/.exec(entry)?.[1] ?? []),
  );
}

function publicKeyHash({ publicKey }: X509Certificate): string {
  const key = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

/** Certificates of a bundle, leaf or root; what is none is left out. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
