/** Users of a whole mesh: tokens of an issuer on this machine, whose keys the control plane finds by asking it. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SignJWT } from "jose";
import type { MeshStatus } from "../../src/local/mesh-status.ts";
import { freePort } from "../kit/free-port.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const APPLICATION = `
require("node:http").createServer((request, response) => {
  response.end(JSON.stringify(request.headers));
}).listen(process.env.PORT ?? 8080, "127.0.0.1");`;

const newKeys = (): KeyPairKeyObjectResult => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** @param allowed written into the mesh configuration */
const meshOf = (issuer: string, allowed: string): string => `
hauberk: {jwks: {allowedAddresses: [${allowed}]}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
      - {name: app, image: node, command: [node, -e, ${JSON.stringify(APPLICATION)}], ports: [{containerPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: PERMISSIVE}}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  jwtRules:
  - issuer: ${issuer}
    outputClaimToHeaders: [{header: x-user, claim: sub}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: only-users, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
  - from: [{source: {requestPrincipals: ["${issuer}/*"]}}]
`;

describe("tokens of users", () => {
  let folder: string;
  let mesh: RunningMesh;
  let port: number;
  let issuer: string;
  let provider: Server | undefined;
  let keys = newKeys();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-tokens-"));
    port = await freePort();
    issuer = `http://localhost:${port}`;
    await writeFile(join(folder, "mesh.yaml"), meshOf(issuer, ""));
    mesh = await runMesh([folder]);
  });
  after(async () => {
    await mesh?.stop();
    provider?.close();
    await rm(folder, { recursive: true });
  });

  const token = (claims: object = {}, { privateKey } = keys): Promise<string> =>
    new SignJWT({ iss: issuer, sub: "alice", ...claims })
      .setProtectedHeader({ alg: "ES256" })
      .sign(privateKey);

  async function call(text?: string): Promise<{ status: number; body: string }> {
    const listen = mesh.workload("cart").ports[0]?.listen;
    const headers = text === undefined ? {} : { authorization: `Bearer ${text}` };
    const answer = await fetch(`http://${listen?.address}:${listen?.port}/`, { headers });
    return { status: answer.status, body: await answer.text() };
  }

  async function startProvider(): Promise<void> {
    provider = createServer((request, response) => {
      const isDiscovery = request.url === "/.well-known/openid-configuration";
      const jwk = { ...keys.publicKey.export({ format: "jwk" }), kid: "now" };
      response.end(JSON.stringify(isDiscovery ? { jwks_uri: `${issuer}/keys` } : { keys: [jwk] }));
    });
    provider.listen(port, "127.0.0.1");
    await once(provider, "listening");
  }

  async function controlPlaneProcessId(): Promise<number> {
    const { output } = await runHauberk(["status", "--json", "--data", mesh.data]);
    const { controlPlane }: MeshStatus = JSON.parse(output);
    if (controlPlane.processId === undefined) throw new Error("it does not run");
    return controlPlane.processId;
  }

  const controlPlaneLog = (): Promise<string> => mesh.read("logs/control-plane.log");

  async function described(): Promise<string> {
    const asked = ["describe", "shop/cart", "-f", folder, "--data", mesh.data];
    return (await runHauberk(asked)).output;
  }

  async function explained(text: string): Promise<{ code: number | null; output: string }> {
    const file = join(folder, "token.txt");
    await writeFile(file, text);
    const question = ["--from", "outside", "--to", "shop/cart:8080", "--request", "GET /"];
    const asked = ["explain", ...question, "-f", join(folder, "mesh.yaml"), "--data", mesh.data];
    return runHauberk([...asked, "--token", file]);
  }

  test("JWT-85: an address that is not listed is not asked, and the log says which key lists it", async () => {
    await startProvider();
    const said = await until("the refusal", async () => {
      const log = await controlPlaneLog();
      return /keys of a token issuer cannot be fetched.*/.exec(log)?.[0] ?? false;
    });
    assert.match(said, /hauberk\.jwks\.allowedAddresses/);
    const { status, body } = await call(await token());
    assert.deepEqual([status, body], [401, "Jwks remote fetch is failed"]);
    assert.equal((await call()).status, 403);
    assert.match(
      await described(),
      /keys: never fetched from issuer http.*, so that its tokens are refused; the last try failed: .*allowedAddresses.*; is tried again/,
    );
    const { code, output } = await explained(await token());
    assert.equal(code, 2);
    assert.match(output, /failed: keys, .*; got none, never fetched/);
    provider?.closeAllConnections();
    provider?.close();
  });

  test("JWT-82: an issuer that is down at first is found within five seconds of its start", async () => {
    await writeFile(join(folder, "mesh.yaml"), meshOf(issuer, "127.0.0.0/8, '::1'"));
    await until("the issuer to be asked", async () => /ECONNREFUSED/.test(await controlPlaneLog()));
    assert.equal((await call(await token())).status, 401);
    await startProvider();
    const started = performance.now();
    await until("the first request", async () => (await call(await token())).status === 200);
    const passedMs = performance.now() - started;
    assert.ok(passedMs < 5_000, String(passedMs));
  });

  test("the application hears of the user, and of no token; others are refused, and told why", async () => {
    const { body } = await call(await token());
    const heard = JSON.parse(body);
    assert.equal(heard["x-user"], "alice");
    assert.equal(heard.authorization, undefined);
    const refusals = [
      [await token({}, newKeys()), 401, "Jwt verification fails"],
      [await token({ exp: 1 }), 401, "Jwt is expired"],
      [await token({ iss: "https://elsewhere.example" }), 401, "Jwt issuer is not configured"],
      [undefined, 403, "RBAC: access denied"],
    ] as const;
    for (const [text, status, said] of refusals)
      assert.deepEqual(await call(text), { status, body: said });
    const logs = await until("the log", async () => {
      const { output } = await runHauberk(["logs", "cart", "--denied", "--data", mesh.data]);
      return output.includes("Jwt is expired") && output;
    });
    assert.match(logs, /401, token refused: Jwt is expired, by shop\/users/);
    assert.match(await described(), /keys: "now" \(EC P-256\), fetched \d+ s ago from issuer http/);
    const good = await explained(await token());
    assert.equal(good.code, 0);
    assert.match(good.output, /good, signed with the key "now" \(EC P-256\)/);
    const expired = await explained(await token({ exp: 1 }));
    assert.equal(expired.code, 2);
    assert.match(
      expired.output,
      /failed: expiry, expected at or after .*; got 1970-01-01T00:00:01/,
    );
  });

  test("JWT-84: an issuer that is away takes nobody's keys with it; a control plane that starts anew finds them again", async () => {
    provider?.closeAllConnections();
    provider?.close();
    const good = await token({ jti: "while it is away" });
    assert.equal((await call(good)).status, 200);
    const before = await controlPlaneProcessId();
    process.kill(before, "SIGKILL");
    await until("another control plane", async () => {
      const now = await controlPlaneProcessId().catch(() => before);
      return now !== before;
    });
    await until("it to ask again", async () =>
      (await controlPlaneLog()).includes('"effect":"the last keys stay in use"'),
    );
    assert.equal((await call(await token({ jti: "meanwhile" }))).status, 200);
    keys = newKeys();
    await startProvider();
    await until("new keys", async () => (await call(await token())).status === 200);
  });
});
