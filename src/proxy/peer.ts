/** The other end of a mutual TLS connection, once it is verified; nobody else makes a `Peer`. */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { untrustedProblem } from "../identity/foreign-chain.ts";
import { spiffeIdOfCertificate, verifyTrustDomain } from "../identity/peer-certificate.ts";
import { presentedChain } from "../identity/presented-chain.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Trust } from "../policy/workload-view.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** A certificate as the other end of a connection presented it. */
export interface PresentedCertificate {
  /** Upper-case hexadecimal. */
  readonly serialNumber: string;
  /** SHA-256 of the DER, lower-case hexadecimal, as in XFCC (OBS-33). */
  readonly certificateHash: string;
  /** As presented, leaf first, without a root: to be judged again when the mesh's roots change. */
  readonly chain: readonly X509Certificate[];
}

export interface Peer extends PresentedCertificate {
  readonly id: SpiffeId;
}

/** A peer that is not who it must be, with the reason in words. */
export class PeerNotVerifiedError extends HauberkError {
  readonly code = "HAUBERK_PEER_NOT_VERIFIED";
}

/**
 * Who is at the other end of a completed handshake. A resumed session is refused: Node does not check the certificate
 * again then.
 *
 * @throws PeerNotVerifiedError, or PeerCertificateError for a certificate that is no SVID
 */
export function verifyPeer(socket: TLSSocket, trust: Trust): Peer {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new PeerNotVerifiedError("no certificate was presented");
  if (socket.isSessionReused()) throw new PeerNotVerifiedError("the session was resumed");
  if (!socket.authorized) {
    const error = String(socket.authorizationError);
    throw new PeerNotVerifiedError(
      untrustedProblem(certificate, { error, rootsPem: trust.rootsPem }),
    );
  }
  return peerOf(certificate, trust);
}

/**
 * The same for a callee, which must moreover prove one of `identities`; none means any of the trust domain (QK-29).
 *
 * @throws PeerNotVerifiedError, PeerCertificateError
 */
export function verifyCallee(
  socket: TLSSocket,
  { trust, identities }: { readonly trust: Trust; readonly identities: readonly SpiffeId[] },
): Peer {
  const peer = verifyPeer(socket, trust);
  if (identities.length > 0 && !identities.includes(peer.id)) {
    throw new PeerNotVerifiedError(`"${peer.id}" is not one of ${identities.join(", ")}`);
  }
  return peer;
}

/** When the first certificate of a connection ends: ours or one of the peer's chain. */
export function firstEnd(own: { readonly notAfter: Date }, { chain }: Peer): Date {
  const ends = chain.map(({ validTo }) => Date.parse(validTo));
  return new Date(Math.min(own.notAfter.getTime(), ...ends));
}

function peerOf(certificate: X509Certificate, trust: Trust): Peer {
  const id = spiffeIdOfCertificate(certificate);
  verifyTrustDomain(id, trust);
  return {
    id,
    serialNumber: certificate.serialNumber,
    certificateHash: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    chain: presentedChain(certificate),
  };
}
