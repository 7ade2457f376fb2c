/** The certificate service in a process of its own, so that its callers' work is not counted: as a control plane has it. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { openSync } from "node:fs";
import { join } from "node:path";
import { authenticateCaller } from "../../../src/ca/caller.ts";
import { CertificateAuthority } from "../../../src/ca/certificate-authority.ts";
import { openIssueLog } from "../../../src/ca/issue-log.ts";
import { ServiceAccountTokenVerifier } from "../../../src/ca/service-account-tokens.ts";
import { authorityMetrics } from "../../../src/control/authority-metrics.ts";
import { certificateService } from "../../../src/control/certificate-service.ts";
import { createCertificateRequest } from "../../../src/identity/certificate-request.ts";
import { systemClock as clock } from "../../../src/runtime/clock.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { LogFile } from "../../../src/runtime/log-file.ts";
import { WatchedValue } from "../../../src/runtime/watched.ts";
import { startSecureGrpcServer } from "../../../src/wire/secure-grpc-server.ts";
import type { FromService, StartService, ToService } from "./service-messages.ts";

const MAX_RECEIVE_BYTES = 64 * 1024;
const DAY_MS = 86_400_000;

function tell(message: FromService): void {
  process.send?.(message);
}

process.on("message", (message: ToService) => {
  if (message.type === "start") void start(message);
  else {
    const { user, system } = process.cpuUsage();
    tell({ type: "usage", cpuSeconds: (user + system) / 1_000_000 });
  }
});
process.on("disconnect", () => process.exit());

async function start(options: StartService): Promise<void> {
  const { certificatePem, directory } = options;
  const file = new LogFile({ descriptor: openSync(join(directory, "control-plane.log"), "a+") });
  const log = createLog((line) => file.write(line), clock);
  const authority = new CertificateAuthority({
    certificatePem,
    privateKey: createPrivateKey(options.privateKeyPem),
    rootsPem: [certificatePem],
  });
  const issuer = new WatchedValue(authority);
  const trust = new WatchedValue({
    rootsPem: [certificatePem],
    taintedAuthorities: [],
    crlsPem: [],
  });
  const pods = new Set(options.pods);
  const issueLog = await openIssueLog({ directory, clock, log });
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue(serverIdentity(authority, certificatePem)),
    services: [
      certificateService({
        issuer,
        trust,
        authenticate: authenticateCaller({
          trustDomain: "cluster.local",
          tokens: new ServiceAccountTokenVerifier(createPublicKey(options.tokenKeyPem)),
          isLivePod: ({ name }) => pods.has(name),
          holderOf: (serial, key) => issueLog.holderOf(serial, key),
          trust,
          clock,
        }),
        issueLog,
        metrics: authorityMetrics({ issuer, trust, clock }),
        clock,
        log,
      }),
    ],
    maxReceiveBytes: MAX_RECEIVE_BYTES,
    log,
  });
  tell({ type: "serving", port: server.port });
}

function serverIdentity(
  authority: CertificateAuthority,
  rootPem: string,
): Parameters<typeof startSecureGrpcServer>[0]["identity"]["current"] {
  const { privateKeyPem } = createCertificateRequest();
  const { chainPem } = authority.issueServer({
    publicKey: createPublicKey(privateKeyPem),
    dnsNames: ["istiod.istio-system.svc"],
    ipAddresses: ["127.0.0.1"],
    lifetimeMs: DAY_MS,
    now: clock.now(),
  });
  return { certificateChainPem: chainPem.join(""), privateKeyPem, clientRootsPem: [rootPem] };
}
