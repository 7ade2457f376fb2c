/** RateLimits in a real Envoy: counted by itself, and by the control plane, whom it asks through its agent. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { forwardedRateLimits } from "../../src/envoy-agent/forwarded-rate-limits.ts";
import { spiffeIdOfCertificate } from "../../src/identity/peer-certificate.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { AppliedRateLimit } from "../../src/policy/applied-rate-limits.ts";
import type { Counters } from "../../src/rate-limit-service/counters.ts";
import { MemoryCounters } from "../../src/rate-limit-service/memory-counters.ts";
import { rateLimitService } from "../../src/rate-limit-service/rate-limit-service.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import { startSecureGrpcServer } from "../../src/wire/secure-grpc-server.ts";
import { startUnixGrpcServer } from "../../src/wire/unix-grpc-server.ts";
import { appliedRateLimit } from "../kit/applied-rate-limit.ts";
import { ask, type Caller, RecordingApplication } from "../kit/envoy-callers.ts";
import { bearer, issuer, mesh, stagesOf, tokenRule } from "../kit/envoy-stage.ts";
import { recordedLog } from "../kit/recorded-log.ts";
import { idOf, policy, workloadView } from "../kit/sidecar-fixture.ts";

let application: RecordingApplication;
before(async () => {
  application = await RecordingApplication.start();
});
after(() => application.close());

const stage = stagesOf(() => application);

function limit(fields: Partial<AppliedRateLimit>): AppliedRateLimit {
  return appliedRateLimit({ perMs: 60_000, ...fields });
}

async function statuses(
  caller: Caller,
  path: string,
  fields: readonly (readonly string[])[],
): Promise<string> {
  const found: number[] = [];
  for (const one of fields) found.push((await ask(caller, path, one)).status);
  return found.join(" ");
}

const none: readonly string[] = [];

test("RateLimits count what their rules match, apart by key, and on trial refuse nobody", async (context) => {
  const rule = (paths: readonly string[]): AppliedRateLimit["match"] =>
    policy("DENY", "x", { to: [{ paths }] }).rules;
  const rateLimits = [
    limit({ name: "all", match: rule(["/all", "/all/*"]) }),
    limit({ name: "header", match: rule(["/header"]), key: ["request.headers[x-user]"] }),
    limit({ name: "caller", match: rule(["/caller"]), key: ["source.principal"] }),
    limit({
      name: "two",
      match: rule(["/two"]),
      key: ["source.principal", "request.headers[x-user]"],
    }),
    limit({ name: "claim", match: rule(["/claim"]), key: ["request.auth.claims[sub]"] }),
    limit({ name: "trial", match: rule(["/trial"]), mode: "Shadow" }),
  ];
  const tokenRules = [tokenRule()];
  const { plain, frontend: one, other: two } = await stage(context, { rateLimits, tokenRules });
  assert.equal(await statuses(plain, "/free", [none, none, none, none]), "200 200 200 200");
  assert.equal(await statuses(plain, "/all", [none, none]), "200 200");
  assert.equal(await statuses(plain, "/all/below", [none]), "429", "rules of one limit share it");
  const [a, b] = ["x-user: a", "x-user: b"].map((field) => [field]);
  assert.equal(
    await statuses(plain, "/header", [
      a ?? none,
      a ?? none,
      a ?? none,
      b ?? none,
      none,
      none,
      none,
    ]),
    "200 200 429 200 200 200 429",
    "who leaves it out shares with all who do",
  );
  assert.equal(await statuses(one, "/caller", [none, none, none]), "200 200 429");
  assert.equal(await statuses(two, "/caller", [none]), "200");
  assert.equal(await statuses(plain, "/caller", [none, none, none]), "200 200 429");
  assert.equal(
    await statuses(one, "/two", [a ?? none, a ?? none, a ?? none, b ?? none]),
    "200 200 429 200",
  );
  assert.equal(await statuses(two, "/two", [a ?? none]), "200");
  const [ann, bob] = await Promise.all(
    ["ann", "bob"].map(async (sub) => [bearer(await issuer.sign({ sub }))]),
  );
  assert.equal(
    await statuses(plain, "/claim", [ann ?? none, ann ?? none, ann ?? none, bob ?? none, none]),
    "200 200 429 200 200",
  );
  assert.equal(await statuses(plain, "/trial", [none, none, none]), "200 200 200");
});

test("RateLimits of the mesh: its control plane counts, asked through the agent", async (context) => {
  const match = policy("DENY", "x", { to: [{ paths: ["/counted"] }] }).rules;
  const global = { scope: "Global", match, key: ["source.principal"] } as const;
  const rateLimits = [limit({ ...global, name: "mesh" })];
  const { agentSocket, asked, stop } = await controlPlaneThatCounts(context, rateLimits);
  const { plain, frontend: one } = await stage(context, { rateLimits }, undefined, "http", {
    agentSocket,
  });
  assert.equal(await statuses(plain, "/free", [none, none, none]), "200 200 200");
  assert.equal(asked(), 0, "nobody is asked about what no rule means");
  assert.equal(await statuses(one, "/counted", [none, none, none]), "200 200 429");
  assert.equal(await statuses(plain, "/counted", [none]), "200", "another caller");
  assert.ok(asked() > 0);
  await stop();
  assert.equal(await statuses(plain, "/counted", [none, none]), "200 429", "then each pod counts");
});

test("RateLimits of the mesh that nobody answers are what they say they are then", async (context) => {
  const match = (path: string): AppliedRateLimit["match"] =>
    policy("DENY", "x", { to: [{ paths: [path] }] }).rules;
  const rateLimits = [
    limit({ name: "open", scope: "Global", whenUnavailable: "Allow", match: match("/open") }),
    limit({ name: "closed", scope: "Global", whenUnavailable: "Deny", match: match("/closed") }),
  ];
  const agentSocket = join(await folderOf(context), "nobody.sock");
  const { plain } = await stage(context, { rateLimits }, undefined, "http", { agentSocket });
  assert.equal(await statuses(plain, "/open", [none, none, none]), "200 200 200");
  assert.equal(await statuses(plain, "/closed", [none]), "503");
  assert.equal(await statuses(plain, "/else", [none]), "200");
});

async function folderOf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface CountingControlPlane {
  readonly agentSocket: string;
  /** How often its counters were. */
  asked(): number;
  stop(): Promise<void>;
}

async function controlPlaneThatCounts(
  context: TestContext,
  rateLimits: readonly AppliedRateLimit[],
): Promise<CountingControlPlane> {
  const log = recordedLog();
  const api = mesh.svid(idOf("api"));
  const view = workloadView({ rootsPem: [mesh.rootPem], rateLimits });
  const memory = new MemoryCounters();
  let asked = 0;
  const counters: Counters = {
    take: (count) => {
      asked++;
      return memory.take(count);
    },
    look: (place) => memory.look(place),
    close: () => memory.close(),
  };
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [
      rateLimitService({
        trustDomain: "cluster.local",
        views: new WatchedValue(new Map([["production/api-0", view]])),
        identify: async ({ certificate }) =>
          spiffeIdOfCertificate(certificate ?? assert.fail("no certificate")),
        counters,
        log,
      }),
    ],
    maxReceiveBytes: 65_536,
    log,
  });
  const limits = forwardedRateLimits({
    controlPlane: `127.0.0.1:${server.port}`,
    svid: new WatchedValue<X509Svid | undefined>(api),
    rootsPem: () => [mesh.rootPem],
    log,
  });
  const agentSocket = join(await folderOf(context), "agent.sock");
  const agent = await startUnixGrpcServer({
    path: agentSocket,
    access: "owner",
    services: [limits.service],
    maxReceiveBytes: 65_536,
    maxConnections: 8,
    maxStreamsPerConnection: 8,
    log,
  });
  const stop = async (): Promise<void> => {
    limits.close();
    await agent.close();
    await server.close();
  };
  context.after(stop);
  return { agentSocket, asked: () => asked, stop };
}

test("RateLimits of connections: how often they are made", async (context) => {
  const rateLimits = [limit({ name: "connections", counts: "connections" })];
  const { plain } = await stage(context, { rateLimits });
  assert.equal(await statuses(plain, "/", [none, none, none]), "200 200 0");
});
