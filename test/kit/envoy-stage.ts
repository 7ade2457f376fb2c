/** A real Envoy in front of one port, in plaintext and by mutual TLS, for tests that ask what becomes of requests. */
import type { TestContext } from "node:test";
import { STANDARD_LOCATIONS } from "../../src/api/request-authentication.ts";
import type { AppliedTokenRule, WorkloadView } from "../../src/policy/workload-view.ts";
import { type Caller, MESH_HTTP_ALPN, type RecordingApplication } from "./envoy-callers.ts";
import { freePort } from "./free-port.ts";
import { idOf, inboundPort, workloadView } from "./sidecar-fixture.ts";
import { type StaticEnvoy, startStaticEnvoy } from "./static-envoy.ts";
import { createThrowawayAuthority, type ThrowawayAuthority } from "./throwaway-authority.ts";
import { type TokenIssuer, tokenIssuer } from "./token-issuer.ts";

export const mesh: ThrowawayAuthority = createThrowawayAuthority();
const [frontend, other] = ["frontend", "other"].map((name) => mesh.svid(idOf(name)));

export interface EnvoyStage {
  readonly plain: Caller;
  readonly frontend: Caller;
  readonly other: Caller;
  readonly envoy: StaticEnvoy;
}

export type Changes = (view: WorkloadView) => WorkloadView;

export type StartStage = (
  context: TestContext,
  options: Partial<Parameters<typeof workloadView>[0]>,
  change?: Changes,
  protocol?: "http" | "tcp",
  reached?: { readonly agentSocket?: string },
) => Promise<EnvoyStage>;

/** One port under PERMISSIVE, of HTTP unless it is said otherwise; it ends with the test. */
export function stagesOf(application: () => RecordingApplication): StartStage {
  return async (context, options, change = (view) => view, protocol = "http", reached = {}) => {
    const listen = await freePort();
    const port = { listen, application: application().port, mode: "PERMISSIVE", protocol } as const;
    const view = change(
      workloadView({ rootsPem: [mesh.rootPem], ports: [inboundPort(port)], ...options }),
    );
    const envoy = await startStaticEnvoy({ view, svid: mesh.svid(idOf("api")), ...reached });
    context.after(() => envoy.stop());
    const byMesh = { port: listen, alpn: MESH_HTTP_ALPN };
    return {
      envoy,
      plain: { port: listen },
      frontend: { ...byMesh, ...(frontend && { certificate: frontend }) },
      other: { ...byMesh, ...(other && { certificate: other }) },
    };
  };
}

export const ISSUER = "https://issuer.example";
export const issuer: TokenIssuer = tokenIssuer(ISSUER);

export function tokenRule(fields: Partial<AppliedTokenRule> = {}): AppliedTokenRule {
  return {
    ref: { kind: "RequestAuthentication", namespace: "production", name: "users" },
    source: { file: "users.yaml", line: 1 },
    issuer: ISSUER,
    audiences: [],
    jwks: issuer.jwks,
    locations: STANDARD_LOCATIONS,
    presence: "OPTIONAL",
    afterwards: "removed",
    outputClaimToHeaders: [],
    spaceDelimitedClaims: [],
    ...fields,
  };
}

export function bearer(token: string): string {
  return `Authorization: Bearer ${token}`;
}
