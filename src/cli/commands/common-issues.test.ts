/** What usually goes wrong with mutual TLS and policies: each cause made, and one command that names it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { tokenIssuer } from "../../../test/kit/token-issuer.ts";
import { secretTable } from "../format-secrets.ts";
import { type ExplainOptions, explainCommand } from "./explain.ts";

const issuer = tokenIssuer("https://issuer.example");

const workload = (name: string, namespace: string): string => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {serviceAccountName: ${name}, containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;
const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: legacy}
${workload("api", "shop")}${workload("web", "shop")}${workload("old", "legacy")}---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-issues-"));
});
after(() => rm(folder, { recursive: true }));

const policy = (kind: string, spec: string): string => `---
apiVersion: ${kind === "DestinationRule" ? "networking" : "security"}.istio.io/v1
kind: ${kind}
metadata: {name: cause, namespace: shop}
spec: ${spec}
`;

const CAUSES: readonly [
  issue: string,
  cause: string,
  asked: Partial<ExplainOptions>,
  named: RegExp,
][] = [
  [
    "the modes of the two sides do not fit",
    policy("DestinationRule", "{host: api, trafficPolicy: {tls: {mode: DISABLE}}}"),
    {},
    /^DENIED[\s\S]*the caller speaks plaintext, set by DestinationRule shop\/cause .* demands mutual TLS \(STRICT\)/,
  ],
  [
    "the callee has no sidecar",
    policy(
      "DestinationRule",
      "{host: old.legacy.svc.cluster.local, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}",
    ),
    { to: "legacy/old:8080" },
    /^DENIED[\s\S]*the callee's identity could not be verified: it has no sidecar/,
  ],
  [
    "the caller has no sidecar",
    "",
    { from: "legacy/old" },
    /^DENIED[\s\S]*caller +legacy\/old-0, without a sidecar[\s\S]*STRICT/,
  ],
  [
    "a principal is not the one that the caller proves",
    policy(
      "AuthorizationPolicy",
      '{rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/webb"]}}]}]}',
    ),
    {},
    /^DENIED[\s\S]*principals: expected cluster\.local\/ns\/shop\/sa\/webb; got cluster\.local\/ns\/shop\/sa\/web\n/,
  ],
  [
    "a policy selects nobody",
    policy(
      "AuthorizationPolicy",
      "{action: DENY, selector: {matchLabels: {app: apis}}, rules: [{}]}",
    ),
    {},
    /^ALLOWED[\s\S]*app: apis matches no workload of namespace shop, so this policy has no effect; did you mean app: api\?/,
  ],
];

for (const [issue, cause, asked, named] of CAUSES) {
  test(`explain names it when ${issue}`, async () => {
    assert.match(await explained(cause, asked), named);
  });
}

test("explain names the check that a token fails", async () => {
  const token = join(folder, "token");
  const expired = await issuer.sign({ iss: "https://issuer.example", exp: 1_000 });
  await writeFile(token, expired);
  const rules = `{jwtRules: [{issuer: "https://issuer.example", jwks: '${issuer.jwks}'}]}`;
  const text = await explained(policy("RequestAuthentication", rules), { token });
  assert.match(text, /^DENIED .* 401 Jwt is expired/);
});

test("proxy-config secret names a certificate that has ended", () => {
  const now = new Date("2026-11-23T12:00:00Z");
  const mesh = createThrowawayAuthority({ now });
  const id = "spiffe://cluster.local/ns/shop/sa/api";
  const svid = mesh.svid(id, { now, lifetimeMs: 3_600_000 });
  const { id: own, serialNumber, certificateChainPem } = svid;
  const held = {
    id: own,
    serialNumber,
    notAfter: svid.notAfter.toISOString(),
    issuedAt: svid.issuedAt.toISOString(),
    certificateChainPem,
    rootsPem: [mesh.rootPem],
  };
  const later = new Date("2026-11-23T14:00:00Z");
  assert.match(secretTable(held, later)[1] ?? "", /^default +Cert Chain +ACTIVE +false /);
});

async function explained(cause: string, asked: Partial<ExplainOptions>): Promise<string> {
  const file = join(folder, "mesh.yaml");
  await writeFile(file, MESH + cause);
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const question = { from: "shop/web", to: "shop/api:8080", request: "GET /", ...asked };
  await explainCommand({ file: [file], data: folder, ...question }, { print, warn: print });
  return `${lines.join("\n")}\n`;
}
