/**
 * Four workloads behind one global limit each for several paths, counted in Redis, and callers of any identity: the test has the
 * authority's key, and so needs no sidecars for them.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorityFiles, authorityParts, writeFiles } from "./authority-folder.ts";
import { buildCertificate } from "./certificate-builder.ts";
import { type RunningMesh, runMesh } from "./running-mesh.ts";

export interface LimitedMesh {
  readonly mesh: RunningMesh;
  /** @returns the status of the answer; 0 where there is none */
  call(account: string, target: { readonly place: number; readonly path: string }): Promise<number>;
  stop(): Promise<void>;
}

export const PLACES = 4;

const APPLICATION = `require("node:http").createServer((request, response) => response.end("well"))
  .listen(process.env.PORT ?? 8080, "127.0.0.1");`;

const workload = (place: number): string => `
---
apiVersion: v1
kind: Service
metadata: {name: cart-${place}, namespace: shop}
spec: {selector: {name: cart-${place}}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart-${place}, namespace: shop}
spec:
  selector: {matchLabels: {name: cart-${place}}}
  template:
    metadata: {labels: {name: cart-${place}, app: cart}}
    spec:
      containers:
      - {name: app, image: node, command: [node, -e, ${JSON.stringify(APPLICATION)}], ports: [{containerPort: 8080}]}`;

/** @param limits items of `spec.limits`, each a line of YAML */
const resources = (redisPort: number, limits: readonly string[]): string => `
hauberk: {rateLimits: {redis: {address: "127.0.0.1:${redisPort}"}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
apiVersion: hauberk.dev/v1alpha1
kind: RateLimit
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  limits:
${limits.map((limit) => `  - ${limit}`).join("\n")}
${Array.from({ length: PLACES }, (_, place) => workload(place)).join("")}
`;

export async function startLimitedMesh(
  redisPort: number,
  limits: readonly string[],
): Promise<LimitedMesh> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-limits-"));
  const parts = authorityParts();
  const cacerts = join(folder, "cacerts");
  await mkdir(cacerts);
  await writeFiles(cacerts, authorityFiles(parts));
  await mkdir(join(folder, "mesh"));
  await writeFile(join(folder, "mesh", "mesh.yaml"), resources(redisPort, limits));
  const mesh = await runMesh([join(folder, "mesh")], { parameters: ["--cacerts", cacerts] });
  const agents = new Map<string, Agent>();
  const agentOf = (account: string): Agent => {
    let agent = agents.get(account);
    if (agent === undefined) {
      const { pem, keyPem } = buildCertificate({
        issuer: parts.signing,
        authority: false,
        usage: ["digitalSignature"],
        uris: [`spiffe://cluster.local/ns/shop/sa/${account}`],
      });
      const proof = { cert: pem + parts.signing.pem, key: keyPem };
      agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false, ...proof });
      agents.set(account, agent);
    }
    return agent;
  };
  return {
    mesh,
    call: (account, { place, path }) =>
      new Promise((resolve) => {
        const listen = mesh.workload(`cart-${place}`).ports[0]?.listen;
        request(
          { host: listen?.address, port: listen?.port, path, agent: agentOf(account) },
          (answer) => {
            answer.resume();
            answer.on("end", () => resolve(answer.statusCode ?? 0));
            answer.on("error", () => resolve(0));
          },
        )
          .on("error", () => resolve(0))
          .end();
      }),
    async stop() {
      for (const agent of agents.values()) agent.destroy();
      await mesh.stop();
      await rm(folder, { recursive: true });
    },
  };
}
