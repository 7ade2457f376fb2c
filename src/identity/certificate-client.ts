/** Asks the control plane for a certificate, and believes the answer only after checking it. */
import { createPublicKey } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { IstioCertificateService } from "../wire/gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { spiffeIdOfCertificate } from "./peer-certificate.ts";
import { readCertificates } from "./read-certificates.ts";
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
  /** What the certificate service was shown. */
  readonly authenticatedBy?: "token" | "certificate";
}

/** Asks once, with a new key each time (CA-32). */
export type RequestCertificate = (options: {
  readonly token: string;
  /** The one that is held and valid: it proves the workload where the token does not any more (CA-5). */
  readonly current?: X509Svid | undefined;
  readonly signal: AbortSignal;
}) => Promise<IssuedSvid>;

export interface CertificateClientOptions {
  /** `host:port` of the control plane. */
  readonly controlPlane: string;
  /** PEM of the roots its certificate must chain to, as known when it is asked. */
  readonly rootsPem: () => readonly string[];
  /** Seconds to ask for (CA-30); 0 for the authority's default. */
  readonly lifetimeSeconds: number;
  /** The cluster that the client takes itself to be in (CA-3); absent: it does not say. */
  readonly cluster?: string | undefined;
  readonly clock: Clock;
  readonly serverName?: string;
}

/**
 * The token comes first, since it dies with its pod; a token that is refused is no reason to go without a certificate
 * while there is one.
 *
 * The returned function throws `GrpcStatusError` when refused, `CertificateAnswerError` when the answer is not
 * acceptable (CA-2).
 */
export function certificateClient(options: CertificateClientOptions): RequestCertificate {
  return async ({ token, current, signal }) => {
    try {
      return await ask(options, { token, signal });
    } catch (error) {
      if (current === undefined || !isRefusal(error)) throw error;
      return ask(options, { certificate: current, signal });
    }
  };
}

type Proof = { readonly token: string } | { readonly certificate: X509Svid };

async function ask(
  { controlPlane, serverName = CONTROL_PLANE_NAME, rootsPem, ...options }: CertificateClientOptions,
  { signal, ...proof }: Proof & { readonly signal: AbortSignal },
): Promise<IssuedSvid> {
  const { csrPem, privateKeyPem } = createCertificateRequest();
  const client = new GrpcClient({
    address: controlPlane,
    serverName,
    rootsPem: rootsPem(),
    maxReceiveBytes: MAX_RECEIVE_BYTES,
    ...("certificate" in proof && { certificate: clientCertificate(proof.certificate) }),
  });
  try {
    const { certChain } = await client.unary(
      IstioCertificateService.method.createCertificate,
      { csr: csrPem, validityDuration: BigInt(options.lifetimeSeconds) },
      {
        timeoutMs: TIMEOUT_MS,
        headers: {
          ...("token" in proof && { authorization: `Bearer ${proof.token}` }),
          ...(options.cluster !== undefined && { clusterid: options.cluster }),
        },
        signal,
      },
    );
    const answer = readAnswer(certChain, { privateKeyPem, now: options.clock.now() });
    return { ...answer, authenticatedBy: "token" in proof ? "token" : "certificate" };
  } finally {
    client.close();
  }
}

function clientCertificate({ certificateChainPem, privateKeyPem }: X509Svid): {
  readonly chainPem: string;
  readonly privateKeyPem: string;
} {
  return { chainPem: certificateChainPem, privateKeyPem };
}

function isRefusal(error: unknown): boolean {
  return error instanceof GrpcStatusError && error.status === "UNAUTHENTICATED";
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
  const sent = readCertificates(certChain.slice(0, -1).join("\n"));
  const trusted = readCertificates(certChain.at(-1) ?? "");
  const chain = sent.map(({ certificate }) => certificate);
  const roots = trusted.map(({ certificate }) => certificate);
  const [leaf] = chain;
  if (leaf === undefined) throw new CertificateAnswerError("the answer holds no chain and root");
  if (!leaf.publicKey.equals(createPublicKey(privateKeyPem)))
    throw new CertificateAnswerError("the certificate is for another key");
  verifyChain(chain, { roots, now });
  const svid: X509Svid = {
    id: spiffeIdOfCertificate(leaf),
    certificateChainPem: sent.map(({ pem }) => pem).join(""),
    privateKeyPem,
    serialNumber: leaf.serialNumber,
    issuedAt: now,
    notAfter: new Date(leaf.validTo),
  };
  return { svid, rootsPem: trusted.map(({ pem }) => pem) };
}
