/** Asks the control plane for a certificate, and believes the answer only after checking it. */
import { createPublicKey, X509Certificate } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { IstioCertificateService } from "../wire/gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { spiffeIdOfCertificate } from "./peer-certificate.ts";
import { formatPem, readPem } from "./pem.ts";
import { verifyChain } from "./verify-chain.ts";
import type { X509Svid } from "./x509-svid.ts";

/** The name in the control plane's certificate (CA-21), whatever its address is. */
export const CONTROL_PLANE_NAME = "istiod.istio-system.svc";
const TIMEOUT_MS = 10_000;
const MAX_RECEIVE_BYTES = 1_048_576;

/** The certificate service answered with something that is not our certificate. */
export class CertificateAnswerError extends HauberkError {
  readonly code = "HAUBERK_CERTIFICATE_ANSWER";
}

/** What a workload got: its own proof, and the roots that its peers' proofs must chain to. */
export interface IssuedSvid {
  readonly svid: X509Svid;
  readonly rootsPem: readonly string[];
}

/** Asks once, with a new key each time (CA-32). */
export type RequestCertificate = (options: {
  readonly token: string;
  readonly signal: AbortSignal;
}) => Promise<IssuedSvid>;

export interface CertificateClientOptions {
  /** `host:port` of the control plane. */
  readonly controlPlane: string;
  /** PEM of the roots its certificate must chain to, handed over by whoever started us. */
  readonly rootsPem: readonly string[];
  /** Seconds to ask for (CA-30); 0 for the authority's default. */
  readonly lifetimeSeconds: number;
  readonly clock: Clock;
  readonly serverName?: string;
}

/**
 * The returned function throws `GrpcStatusError` when refused, `CertificateAnswerError` when the answer is not
 * acceptable (CA-2).
 */
export function certificateClient(options: CertificateClientOptions): RequestCertificate {
  return async ({ token, signal }) => {
    const { csrPem, privateKeyPem } = createCertificateRequest();
    const client = new GrpcClient({
      address: options.controlPlane,
      serverName: options.serverName ?? CONTROL_PLANE_NAME,
      rootsPem: options.rootsPem,
      maxReceiveBytes: MAX_RECEIVE_BYTES,
    });
    try {
      const { certChain } = await client.unary(
        IstioCertificateService.method.createCertificate,
        { csr: csrPem, validityDuration: BigInt(options.lifetimeSeconds) },
        {
          timeoutMs: TIMEOUT_MS,
          headers: { authorization: `Bearer ${token}` },
          signal,
        },
      );
      return readAnswer(certChain, { privateKeyPem, now: options.clock.now() });
    } finally {
      client.close();
    }
  };
}

/**
 * Checks an answer (CA-2): it certifies our key, names a workload, is valid, and chains to the roots beside it.
 *
 * @throws CertificateAnswerError
 */
export function readAnswer(
  certChain: readonly string[],
  { privateKeyPem, now }: { readonly privateKeyPem: string; readonly now: Date },
): IssuedSvid {
  try {
    return readParts(certChain, { privateKeyPem, now });
  } catch (cause) {
    if (cause instanceof CertificateAnswerError) throw cause;
    throw new CertificateAnswerError("the certificate that was issued is refused", { cause });
  }
}

function readParts(
  certChain: readonly string[],
  { privateKeyPem, now }: { readonly privateKeyPem: string; readonly now: Date },
): IssuedSvid {
  const chainPem = readCertificates(certChain.slice(0, -1).join("\n"));
  const rootsPem = readCertificates(certChain.at(-1) ?? "");
  const chain = chainPem.map((pem) => new X509Certificate(pem));
  const roots = rootsPem.map((pem) => new X509Certificate(pem));
  const [leaf] = chain;
  if (leaf === undefined) throw new CertificateAnswerError("the answer holds no chain and root");
  if (!leaf.publicKey.equals(createPublicKey(privateKeyPem)))
    throw new CertificateAnswerError("the certificate is for another key");
  verifyChain(chain, { roots, now });
  const svid: X509Svid = {
    id: spiffeIdOfCertificate(leaf),
    certificateChainPem: chainPem.join(""),
    privateKeyPem,
    serialNumber: leaf.serialNumber,
    issuedAt: now,
    notAfter: new Date(leaf.validTo),
  };
  return { svid, rootsPem };
}

function readCertificates(text: string): string[] {
  return readPem(text, { labels: ["CERTIFICATE"], maxCharacters: MAX_RECEIVE_BYTES }).map((der) =>
    formatPem("CERTIFICATE", der),
  );
}
