/** What the control plane offers beyond certificates: JWT-SVIDs for its workloads, and its trust bundle for others. */
import type { AuthenticateCaller } from "../ca/caller.ts";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import { JwtAuthority } from "../ca/jwt-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { GrpcService } from "../wire/grpc-service.ts";
import { startBundleEndpoint } from "./bundle-endpoint.ts";
import { BundleSequence } from "./bundle-sequence.ts";
import { jwtSvidService } from "./jwt-svid-service.ts";

const LOOPBACK = "127.0.0.1";

export interface FederationOptions {
  readonly dataDirectory: string;
  readonly trustDomain: string;
  readonly issuer: Watched<CertificateAuthority>;
  readonly trust: Watched<AuthorityTrust>;
  /** The control plane's own. */
  readonly svid: Watched<X509Svid>;
  readonly authenticate: AuthenticateCaller;
  /** Where the trust bundle is served on loopback; absent: nowhere. */
  readonly bundleEndpointPort?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Federation {
  /** Mints JWT-SVIDs. */
  readonly service: GrpcService;
  close(): Promise<void>;
}

/** @throws KeyDirectoryError, BundleSequenceError, ListenError */
export async function startFederation(options: FederationOptions): Promise<Federation> {
  const { dataDirectory: directory, issuer, clock, log } = options;
  const onUnwritten = (error: unknown): void =>
    log.error("the key of JWT-SVIDs was not rotated", { problem: describeError(error) });
  const authority = await JwtAuthority.open({
    directory,
    authority: nameOf(issuer.current),
    clock,
    onUnwritten,
  });
  const stopWatching = issuer.onChange((next) => {
    authority.follow(nameOf(next)).catch(onUnwritten);
  });
  const stop = (): void => {
    stopWatching();
    authority.close();
  };
  try {
    const endpoint = await startEndpoint(authority, options);
    return {
      service: jwtSvidService({ ...options, authority }),
      close: async () => {
        stop();
        await endpoint?.close();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

async function startEndpoint(
  { publicKeys }: JwtAuthority,
  options: FederationOptions,
): Promise<{ close(): Promise<void> } | undefined> {
  const { bundleEndpointPort: port, dataDirectory, trust, svid, log } = options;
  if (port === undefined) return undefined;
  const sequence = await BundleSequence.open(dataDirectory);
  const common = { host: LOOPBACK, port, svid, trust, jwtKeys: publicKeys, sequence, log };
  const endpoint = await startBundleEndpoint(common);
  const url = `https://${LOOPBACK}:${endpoint.port}/`;
  log.info("the trust bundle is served", { url, profile: "https_spiffe", id: svid.current.id });
  return endpoint;
}

/** Of a signing authority, and of no other. */
function nameOf({ certificate }: CertificateAuthority): string {
  return certificate.fingerprint256;
}
