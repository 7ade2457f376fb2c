/**
 * With which certificates connections were opened: gRPC tells the first alone, and whether it counts may depend on those
 * above it.
 */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** By the ends of the connection, as long as it stands. */
const standing = new Map<string, X509Certificate>();

/**
 * @param certificate the verified one, as Node told it when it was asked first: those above it are told once alone
 */
export function rememberClient(socket: TLSSocket, certificate: X509Certificate): void {
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  standing.set(remote, certificate);
  socket.once("close", () => {
    if (standing.get(remote) === certificate) standing.delete(remote);
  });
}

/**
 * @param remote `address:port`
 * @param leaf DER of the certificate that is there
 * @returns with those above it, if the connection is known
 */
export function clientCertificate(remote: string, leaf: Buffer): X509Certificate | undefined {
  const certificate = standing.get(remote);
  return certificate?.raw.equals(leaf) === true ? certificate : undefined;
}
