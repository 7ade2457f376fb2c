/**
 * The article's table of common issues: each cause made with kubectl, its symptom seen by curl, named by one command that
 * somebody would type next, and gone once the table's solution is carried out.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { MeshStatus } from "../../src/local/mesh-status.ts";
import { freePort } from "../kit/free-port.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type TokenIssuer, tokenIssuer } from "../kit/token-issuer.ts";
import { TroubledMesh } from "../kit/troubled-mesh.ts";

const skip = missingParts("kubectl", "curl");
const API = "http://api:8080/";
const OLD = "http://old.legacy:8080/";
/** By the environment, as programs without a sidecar find it too. */
const LEDGER = "http://$LEDGER_SERVICE_HOST:$LEDGER_SERVICE_PORT/";
/** What curl says instead of a status when it got none. */
const NOTHING = "000";
const ISSUER = "https://issuer.example";
/** So short that a certificate ends within a test. */
const LIFETIME_SECONDS = 20;

const authorization = (name: string, spec: string): string =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
const DENY_ALL = authorization("deny-all", "{}");
const LATER = authorization(
  "later",
  "{action: DENY, selector: {matchLabels: {app: api}}, rules: [{to: [{operation: {paths: [/later]}}]}]}",
);

describe("common issues", { skip }, () => {
  let mesh: TroubledMesh;
  let provider: Server | undefined;

  before(async () => {
    mesh = await TroubledMesh.start();
    await mesh.sees("shop/web", API, "200");
  });
  after(async () => {
    await mesh?.stop();
    provider?.close();
  });

  const explained = (...others: readonly string[]): Promise<string> =>
    mesh.explain("shop/web", "shop/api:8080", ...others);

  test("mTLS mode mismatch, 503: explain names what each side is told, and by which resource", async () => {
    await mesh.apply("DestinationRule", "{host: api, trafficPolicy: {tls: {mode: DISABLE}}}");
    await mesh.sees("shop/web", API, "503");
    const told = await explained();
    assert.match(told, /^DENIED/);
    assert.match(told, /client TLS DISABLE, set by DestinationRule shop\/cause/);
    assert.match(told, /mode +STRICT, set by PeerAuthentication istio-system\/default/);
    await mesh.apply("DestinationRule", "{host: api, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}");
    await mesh.sees("shop/web", API, "200");
  });

  test("the other way round: the callee has mutual TLS disabled, and the caller insists on it", async () => {
    await mesh.apply(
      "PeerAuthentication",
      "{selector: {matchLabels: {app: api}}, mtls: {mode: DISABLE}}",
    );
    await mesh.sees("shop/web", API, "503");
    const told = await explained();
    assert.match(told, /^DENIED/);
    assert.match(told, /client TLS ISTIO_MUTUAL, set by DestinationRule shop\/cause/);
    assert.match(told, /mode +DISABLE, set by PeerAuthentication shop\/cause/);
    await mesh.kubectl("delete destinationrule,peerauthentication cause -n shop");
    await mesh.sees("shop/web", API, "200");
  });

  test("missing sidecar, 503 and a reset: explain names it, and why there is none", async () => {
    await mesh.sees("shop/web", OLD, "200");
    await mesh.sees("legacy/old", LEDGER, NOTHING);
    const host = "old.legacy.svc.cluster.local";
    await mesh.apply(
      "DestinationRule",
      `{host: ${host}, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}`,
    );
    await mesh.sees("shop/web", OLD, "503");
    const advice =
      /legacy\/old has no sidecar, since neither the namespace .*: kubectl label namespace legacy istio-injection=enabled; kubectl rollout restart deployment old -n legacy/;
    const asCallee = await mesh.explain("shop/web", "legacy/old:8080");
    assert.match(asCallee, /^DENIED[\s\S]*the callee's identity could not be verified: it has no/);
    assert.match(asCallee, advice);
    const asCaller = await mesh.explain("legacy/old", "legacy/ledger:8080");
    assert.match(
      asCaller,
      /^DENIED[\s\S]*the caller speaks plaintext, and the port demands mutual/,
    );
    assert.match(asCaller, advice);
    await mesh.kubectl("label namespace legacy istio-injection=enabled");
    await mesh.kubectl("rollout restart deployment old -n legacy");
    await mesh.kubectl("rollout status deployment old -n legacy --timeout=60s");
    await mesh.sees("shop/web", OLD, "200");
    await mesh.sees("legacy/old", LEDGER, "200");
    await mesh.kubectl("delete destinationrule cause -n shop");
  });

  test("wrong principal, RBAC denied: explain and the log name who was expected and who came", async () => {
    const admit = (account: string): string =>
      `{rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/${account}"]}}]}]}`;
    const mismatch =
      /principals: expected cluster\.local\/ns\/shop\/sa\/wep; got cluster\.local\/ns\/shop\/sa\/web\n/;
    await mesh.apply("AuthorizationPolicy", admit("wep"));
    const { body } = await mesh.sees("shop/web", API, "403");
    assert.equal(body, "RBAC: access denied");
    const told = await explained();
    assert.match(told, mismatch);
    assert.match(told, /did you mean .*sa\/web/);
    const { output } = await mesh.hauberk("logs", "--denied", "shop/api");
    assert.match(output, mismatch);
    await mesh.apply("AuthorizationPolicy", admit("web"));
    await mesh.sees("shop/web", API, "200");
    await mesh.kubectl("delete authorizationpolicy cause -n shop");
  });

  test("policy not applied, all let through: explain names the labels that match nobody", async () => {
    const deny = (app: string): string =>
      `{action: DENY, selector: {matchLabels: {app: ${app}}}, rules: [{}]}`;
    await mesh.apply("AuthorizationPolicy", deny("apis"));
    await mesh.kubectl("apply -f -", LATER); // once it is in force, so is what came before
    await mesh.sees("shop/web", `${API}later`, "403");
    assert.equal((await mesh.call("shop/web", API)).status, "200");
    assert.match(
      await explained(),
      /^ALLOWED[\s\S]*app: apis matches no workload of namespace shop, so this policy has no effect; did you mean app: api\?/,
    );
    await mesh.apply("AuthorizationPolicy", deny("api"));
    await mesh.sees("shop/web", API, "403");
    await mesh.kubectl("delete authorizationpolicy cause later -n shop");
    await mesh.sees("shop/web", API, "200");
  });

  test("the other way round, all denied: the policy that was to let them in selects nobody", async () => {
    const admit = (app: string): string =>
      `{selector: {matchLabels: {app: ${app}}}, rules: [{from: [{source: {namespaces: [shop]}}]}]}`;
    await mesh.kubectl("apply -f -", DENY_ALL);
    await mesh.apply("AuthorizationPolicy", admit("ap"));
    await mesh.sees("shop/web", API, "403");
    assert.match(
      await explained(),
      /^DENIED[\s\S]*deny-all has no rules[\s\S]*app: ap matches no workload of namespace shop, .* did you mean app: api\?/,
    );
    await mesh.apply("AuthorizationPolicy", admit("api"));
    await mesh.sees("shop/web", API, "200");
    await mesh.kubectl("delete authorizationpolicy cause deny-all -n shop");
  });

  test("JWT validation failure, 401: explain names keys that cannot be fetched, and a token that has ended", async () => {
    const issuer = tokenIssuer(ISSUER);
    const port = await freePort();
    await mesh.apply(
      "RequestAuthentication",
      `{jwtRules: [{issuer: "${ISSUER}", jwksUri: "http://127.0.0.1:${port}/keys"}]}`,
    );
    const good = await tokenIn("good", issuer, 3_600);
    const ended = await tokenIn("ended", issuer, -3_600);
    await mesh.sees("shop/web", API, "401", good.header);
    const unfetched = await explained("--token", good.file);
    assert.match(unfetched, /^DENIED .*401 Jwks/);
    assert.match(
      unfetched,
      new RegExp(`never fetched from http://127.0.0.1:${port}/keys, .*ECONNREFUSED`),
    );
    const status = await mesh.hauberk("status");
    assert.match(status.output, /^tokens are refused whose keys are never fetched, from http:/m);
    provider = createServer((_request, response) => response.end(issuer.jwks)).listen(
      port,
      "127.0.0.1",
    );
    await once(provider, "listening");
    await mesh.sees("shop/web", API, "200", good.header);
    assert.match(await explained("--token", good.file), /^ALLOWED/);
    await mesh.sees("shop/web", API, "401", ended.header);
    assert.match(
      await explained("--token", ended.file),
      /^DENIED .*401 Jwt is expired[\s\S]*failed: expiry, expected/,
    );
    await mesh.kubectl("delete requestauthentication cause -n shop");
  });

  async function tokenIn(
    name: string,
    issuer: TokenIssuer,
    seconds: number,
  ): Promise<{ readonly file: string; readonly header: string }> {
    const file = join(mesh.folder, name);
    const token = await issuer.sign({ exp: Math.floor(Date.now() / 1_000) + seconds });
    await writeFile(file, token);
    return { file, header: `-H 'Authorization: Bearer ${token}'` };
  }
});

describe("stale certificates", { skip }, () => {
  let mesh: TroubledMesh;
  let hanging: number | undefined;

  before(async () => {
    const metadata = { SECRET_TTL: `${LIFETIME_SECONDS}s` };
    const config = JSON.stringify({ defaultConfig: { proxyMetadata: metadata } });
    mesh = await TroubledMesh.start({ "mesh-config.yaml": config });
    await mesh.sees("shop/web", API, "200");
  });
  after(async () => {
    wake();
    await mesh?.stop();
  });

  /** Where nobody has ended it. */
  function wake(): void {
    if (hanging === undefined) return;
    try {
      process.kill(hanging, "SIGCONT");
    } catch {
      // it was, as it should be
    }
  }

  test("a TLS handshake fails: status, explain and proxy-config name the certificate, and a new istiod renews it", async () => {
    const { output } = await mesh.hauberk("status", "--json");
    const { controlPlane } = JSON.parse(output) as MeshStatus;
    hanging = controlPlane.processId ?? assert.fail(output);
    process.kill(hanging, "SIGSTOP");
    await mesh.sees("shop/web", API, "503");
    const failed = await mesh.hauberk("logs", "shop/web", "--tail", "1");
    assert.match(failed.output, /FAILED .*TLS_error/);
    const secrets = await mesh.hauberk("proxy-config", "secret", "deploy/api", "-n", "shop");
    assert.match(secrets.output + secrets.errors, /^default +Cert Chain +ACTIVE +false /m);
    const told = await mesh.explain("shop/web", "shop/api:8080");
    assert.match(told, /^DENIED[\s\S]*its certificate ended \S+Z, and was not renewed/);
    assert.match(told, /note +certificates are renewed by the control plane: hauberk status/);
    const status = await mesh.hauberk("status");
    assert.equal(status.code, 1);
    assert.match(status.output, /^shop\/api-0 certificate ended \S+, and was not renewed/m);
    assert.match(
      status.output,
      /^the control plane .* does not answer \(it was silent for 2\.5 s\); it hangs, and kubectl rollout restart deployment istiod -n istio-system starts it anew/m,
    );
    await mesh.kubectl("rollout restart deployment istiod -n istio-system");
    await mesh.sees("shop/web", API, "200");
    assert.match(await mesh.explain("shop/web", "shop/api:8080"), /^ALLOWED/);
  });
});
