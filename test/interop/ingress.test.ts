/** The example of a gateway, by real clients: curl and OpenSSL, with certificates that OpenSSL made. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { runHauberk } from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const run = promisify(execFile);
const SHOP = "shop.example.com";
const PARTNERS = "partners.example.com";
const ISSUER = "https://login.example.com";

const KUBERNETES = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  gatewayClassName: istio
  listeners:
  - name: https
    port: 8443
    protocol: HTTPS
    hostname: api.example.com
    tls: {certificateRefs: [{name: api-tls}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /v1}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    backendRefs: [{name: web, port: 8080}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: from-the-edge, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/edge-istio"]}}]}]
`;

describe("the example of a gateway", () => {
  let folder: string;
  let mesh: RunningMesh;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-ingress-"));
    await cp("examples/ingress", folder, { recursive: true });
    execFileSync("sh", [join(folder, "certificates.sh")]);
    const secret = (await readFile(join(folder, "secrets.yaml"), "utf8")).split("---")[0] ?? "";
    const api = secret.replace("shop-tls, namespace: istio-ingress", "api-tls, namespace: shop");
    await writeFile(join(folder, "kubernetes.yaml"), `${KUBERNETES}---\n${api}`);
    keys = await generateKeyPair("ES256", { extractable: true });
    mesh = await runMesh([folder]);
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true });
  });

  const portOf = (owner: string, containerPort: number): number =>
    mesh.workload(owner).ports.find((port) => port.containerPort === containerPort)?.listen.port ??
    0;
  const secure = (): number => portOf("istio-ingressgateway", 8443);

  /** Status, or curl's own exit code below 0, and what came. */
  async function curl(
    host: string,
    path: string,
    ...more: readonly string[]
  ): Promise<{ readonly status: number; readonly body: string }> {
    const port = secure();
    const resolve = ["--resolve", `${host}:${port}:127.0.0.1`];
    const trust = ["--cacert", join(folder, `${host}.crt`)];
    const told = ["-sS", "-m", "10", "-w", "\n%{http_code}", ...resolve, ...trust, ...more];
    try {
      const { stdout } = await run("curl", [...told, `https://${host}:${port}${path}`]);
      const at = stdout.lastIndexOf("\n");
      return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? Number(error.code) : 1;
      return { status: -code, body: String(error) };
    }
  }

  const client = (): readonly string[] => [
    ...["--cert", join(folder, "client.crt")],
    ...["--key", join(folder, "client.key")],
  ];

  test("HTTP/2 and HTTP/1.1, rewritten, told of by the gateway alone", async () => {
    for (const version of ["--http2", "--http1.1"]) {
      const { status, body } = await curl(SHOP, "/api/cart?id=7", version);
      assert.equal(status, 200, body);
      const { url, headers } = JSON.parse(body);
      assert.equal(url, "/cart?id=7");
      assert.equal(headers["x-forwarded-for"], "127.0.0.1");
      assert.equal(headers["x-forwarded-proto"], "https");
      assert.match(
        headers["x-forwarded-client-cert"],
        /;URI=spiffe:\/\/cluster\.local\/ns\/istio-ingress\/sa\/ingress$/,
      );
    }
  });

  test("plaintext is sent to TLS", async () => {
    const url = `http://127.0.0.1:${portOf("istio-ingressgateway", 8080)}/cart`;
    const { stdout } = await run("curl", ["-sS", "-i", "-H", `host: ${SHOP}`, url]);
    assert.match(stdout, /^HTTP\/1\.1 301/);
    assert.match(stdout, /location: https:\/\/shop\.example\.com\/cart/i);
  });

  test("each host shows its own certificate, and none is shown to a name that nobody serves", async () => {
    const asked = async (name: string): Promise<string> => {
      const connect = ["s_client", "-connect", `127.0.0.1:${secure()}`, "-servername", name];
      const shown = await run("sh", ["-c", `openssl ${connect.join(" ")} </dev/null 2>&1 || true`]);
      return /subject=.*?CN ?= ?(\S+)/.exec(shown.stdout)?.[1] ?? "none";
    };
    assert.deepEqual(await Promise.all([SHOP, PARTNERS, "nobody.example.com"].map(asked)), [
      SHOP,
      PARTNERS,
      "none",
    ]);
  });

  test("partners need a certificate, and nothing is read of who has none", async () => {
    assert.equal((await curl(PARTNERS, "/", ...client())).status, 200);
    assert.ok((await curl(PARTNERS, "/")).status < 0);
    const { status } = await curl(SHOP, "/", "-H", `host: ${PARTNERS}`);
    assert.equal(status, 421, "a connection that was made for another host");
  });

  test("a request that goes round the gateway is refused", async () => {
    const port = portOf("web", 8080);
    await assert.rejects(run("curl", ["-sS", "-m", "5", `http://127.0.0.1:${port}/`]));
  });

  test("the Gateway API: a gateway is made for it, with a name and an identity of its own", async () => {
    const port = portOf("edge-istio", 8443);
    const { stdout } = await run("curl", [
      ...["-sS", "-k", "--resolve", `api.example.com:${port}:127.0.0.1`],
      `https://api.example.com:${port}/v1/cart`,
    ]);
    const { url, headers } = JSON.parse(stdout);
    assert.equal(url, "/cart");
    assert.match(
      headers["x-forwarded-client-cert"],
      /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/edge-istio$/,
    );
  });

  test("status says where it is reached", async () => {
    const { output } = await runHauberk(["status", "--data", mesh.data]);
    assert.match(
      output,
      /istio-ingress\/istio-ingressgateway-0 serves https:\/\/shop\.example\.com\S* at 127\.0\.0\.1:\d+ \(curl --resolve shop\.example\.com:\d+:127\.0\.0\.1\)/,
    );
  });

  test("users are asked for at the edge, from the next request on", async () => {
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: "now" }] });
    await writeFile(
      join(folder, "users.yaml"),
      `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: istio-ingress}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules: [{issuer: ${ISSUER}, jwks: '${jwks}'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: users, namespace: istio-ingress}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  action: DENY
  rules: [{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {hosts: ["${SHOP}", "${SHOP}:*"]}}]}]
`,
    );
    await until("users are asked for", async () => (await curl(SHOP, "/")).status === 403);
    const token = await new SignJWT({ sub: "alice" })
      .setProtectedHeader({ alg: "ES256", kid: "now" })
      .setIssuer(ISSUER)
      .setExpirationTime("1h")
      .sign(keys.privateKey);
    const bearer = (text: string): readonly string[] => ["-H", `authorization: Bearer ${text}`];
    assert.equal((await curl(SHOP, "/", ...bearer(token))).status, 200);
    assert.equal((await curl(SHOP, "/", ...bearer(`${token}x`))).status, 401);
    assert.equal((await curl(PARTNERS, "/", ...client())).status, 200);
  });

  test("another certificate is shown without a request being lost", async () => {
    const failed: number[] = [];
    let isOver = false;
    const load = (async () => {
      while (!isOver) {
        const { status } = await curl(PARTNERS, "/", "-k", ...client());
        if (status !== 200) failed.push(status);
      }
    })();
    const at = (file: string): string => join(folder, file);
    const before = await readFile(at(`${PARTNERS}.crt`), "utf8");
    execFileSync(
      "openssl",
      [
        ...[
          "req",
          "-x509",
          "-newkey",
          "rsa:2048",
          "-nodes",
          "-days",
          "9",
          "-subj",
          `/CN=${PARTNERS}`,
        ],
        ...["-addext", `subjectAltName=DNS:${PARTNERS}`],
        ...["-keyout", at("new.key"), "-out", at("new.crt")],
      ],
      { stdio: "ignore" },
    );
    const text = await readFile(at("secrets.yaml"), "utf8");
    const [old, key] = [before, await readFile(at(`${PARTNERS}.key`), "utf8")];
    const [made, newKey] = await Promise.all(
      ["new.crt", "new.key"].map((f) => readFile(at(f), "utf8")),
    );
    const base64 = (pem = ""): string => Buffer.from(pem).toString("base64");
    await writeFile(
      at("secrets.yaml"),
      text.replace(base64(old), base64(made)).replace(base64(key), base64(newKey)),
    );
    await until("the new certificate is shown", async () => {
      const shown = await run("sh", [
        "-c",
        `openssl s_client -connect 127.0.0.1:${secure()} -servername ${PARTNERS} </dev/null 2>/dev/null | openssl x509 -noout -text || true`,
      ]);
      return shown.stdout.includes("rsaEncryption");
    });
    isOver = true;
    await load;
    assert.deepEqual(failed, []);
  });
});
