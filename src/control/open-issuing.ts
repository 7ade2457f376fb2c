/** All that issuing certificates takes: who may ask, the book of what was issued, and the figures of it. */
import { join } from "node:path";
import { type AuthenticateCaller, authenticateCaller } from "../ca/caller.ts";
import { impersonationRule } from "../ca/impersonation.ts";
import { type IssueLog, openIssueLog } from "../ca/issue-log.ts";
import type { AuthorityRing } from "../ca/rotation.ts";
import { ServiceAccountTokenVerifier } from "../ca/service-account-tokens.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CertificateMetrics } from "../telemetry/certificate-metrics.ts";
import type { GrpcService } from "../wire/grpc-service.ts";
import { authorityMetrics } from "./authority-metrics.ts";
import { certificateService } from "./certificate-service.ts";
import type { ControlPlaneFlags } from "./control-plane-flags.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import { type LiveWorkloads, liveWorkloads } from "./live-workloads.ts";

export interface Issuing {
  readonly service: GrpcService;
  readonly authenticate: AuthenticateCaller;
  /** For which pod a certificate was issued. */
  readonly holderOf: IssueLog["holderOf"];
  readonly isLivePod: LiveWorkloads["isLivePod"];
  readonly metrics: CertificateMetrics;
  close(): Promise<void>;
}

/** @throws KeyDirectoryError, IssueLogError */
export async function openIssuing(options: {
  readonly dataDirectory: string;
  readonly trustDomain: string;
  readonly ring: Pick<AuthorityRing, "issuer" | "trust">;
  readonly running: Watched<RunningNow>;
  readonly flags: ControlPlaneFlags;
  /** What the mesh calls itself. */
  readonly cluster: string;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<Issuing> {
  const { dataDirectory, trustDomain, ring, flags, clock, log } = options;
  const { issuer, trust } = ring;
  const live = liveWorkloads(options.running);
  const tokens = await ServiceAccountTokenVerifier.open(dataDirectory);
  const issueLog = await openIssueLog({ directory: join(dataDirectory, "ca"), clock, log });
  const holderOf: IssueLog["holderOf"] = (serial, key) => issueLog.holderOf(serial, key);
  const authenticate = authenticateCaller({
    trustDomain,
    tokens,
    holderOf,
    trust,
    clock,
    ...live,
  });
  const metrics = authorityMetrics({ issuer, trust, clock });
  const service = certificateService({
    issuer,
    trust,
    authenticate,
    authorizeImpersonation: impersonationRule({
      trustedAccounts: flags.trustedNodeAccounts,
      trustDomain,
      runsBeside: live.runsBeside,
    }),
    issueLog,
    metrics,
    cluster: options.cluster,
    lifetimes: flags,
    clock,
    log,
  });
  return {
    ...{ service, authenticate, holderOf, isLivePod: live.isLivePod, metrics },
    close: () => issueLog.close(),
  };
}
