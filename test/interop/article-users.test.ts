/**
 * Users as in the article: its RequestAuthentications and policies byte for byte, called by curl. One server plays the
 * identity providers: ServiceEntries lead their hosts to it, and the mesh configuration allows its address and authority.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { IdentityProvider } from "../kit/identity-provider.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";
import { writeWhole } from "../kit/write-whole.ts";

const SEEDS = "examples/seeds";
const OWN = "https://auth.example.com";
const GOOGLE = "https://accounts.google.com";
const COMPANY = "https://auth.company.com";
const HOSTS = ["auth.example.com", "www.googleapis.com", "auth.company.com"];
const FOR_US = "api.example.com";

const skip = missingParts("curl");

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe("the article's users", { skip }, () => {
  const provider = new IdentityProvider(HOSTS);
  let folder: string;
  let mesh: RunningMesh;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-article-"));
    await provider.start();
    await cp("test/meshes/article", folder, { recursive: true });
    await rm(join(folder, "caller.yaml"));
    for (const seed of ["11-request-authentication", "12-require-jwt-by-role"]) await place(seed);
    await writeWhole(join(folder, "providers.yaml"), provider.manifests(HOSTS));
    mesh = await runMesh([folder]);
  });
  after(async () => {
    await mesh?.stop();
    provider.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const place = (seed: string): Promise<void> =>
    cp(`${SEEDS}/${seed}.yaml`, join(folder, `${seed}.yaml`));

  /** By curl, from outside the mesh. */
  async function curl(to: string, parameters: readonly string[] = []): Promise<Answer> {
    const { address, port } =
      mesh.workload(to).ports[0]?.listen ?? assert.fail("it listens nowhere");
    const url = parameters.find((one) => one.startsWith("/")) ?? "/api/orders";
    const others = parameters.filter((one) => !one.startsWith("/"));
    const child = spawn(
      "curl",
      ["-s", "-w", "\n%{http_code}", ...others, `http://${address}:${port}${url}`],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const lines = (await readText(child.stdout)).split("\n");
    return { status: Number(lines.pop()), body: lines.join("\n") };
  }

  const bearer = (token: string): readonly string[] => ["-H", `Authorization: Bearer ${token}`];
  const user = (role: string, claims: object = {}): Promise<string> =>
    provider.sign({ iss: OWN, aud: FOR_US, sub: "alice", role, ...claims });

  test("the providers' hosts are asked where the ServiceEntries say, by their own names", async () => {
    const token = await user("admin");
    await until("the keys", async () => (await curl("api-service", bearer(token))).status === 200);
    assert.ok(provider.asked.includes("auth.example.com /.well-known/jwks.json"));
    assert.ok(provider.asked.includes("www.googleapis.com /oauth2/v3/certs"));
  });

  const METHODS = ["GET", "POST", "PUT", "DELETE"];
  const may: readonly (readonly [role: string, methods: readonly string[]])[] = [
    ["admin", METHODS],
    ["editor", ["GET", "POST", "PUT"]],
    ["viewer", ["GET"]],
    ["nobody", []],
  ];
  for (const [role, methods] of may) {
    test(`role ${role} may ${methods.join(", ") || "do nothing"}`, async () => {
      const token = await user(role);
      for (const method of METHODS) {
        const { status, body } = await curl("api-service", ["-X", method, ...bearer(token)]);
        const expected = methods.includes(method) ? 200 : 403;
        assert.equal(status, expected, `${method}: ${body}`);
        if (expected === 403) assert.equal(body, "RBAC: access denied");
      }
    });
  }

  test("the application sees the token and its payload, and no payload of the client's own", async () => {
    const token = await user("admin");
    const forged = ["-H", "x-jwt-payload: e30"];
    const { body } = await curl("api-service", [...forged, ...bearer(token)]);
    const headers = JSON.parse(body);
    assert.equal(headers.authorization, `Bearer ${token}`);
    const payload = Buffer.from(headers["x-jwt-payload"], "base64url").toString();
    assert.equal(JSON.parse(payload).role, "admin");
    const inQuery = await curl("api-service", [`/api/orders?access_token=${token}`]);
    assert.equal(inQuery.status, 200);
  });

  test("SC-10: without a token 403, by policy; with a bad one 401; of the other issuer 403, for want of a role", async () => {
    const forAnother = { aud: "elsewhere.example.com" };
    const stranger = new IdentityProvider(HOSTS);
    const refusals: readonly (readonly [what: string, token: string, Answer])[] = [
      ["expired", await user("admin", { exp: 1 }), { status: 401, body: "Jwt is expired" }],
      [
        "for another audience",
        await user("admin", forAnother),
        { status: 403, body: "Audiences in Jwt are not allowed" },
      ],
      [
        "of an unknown issuer",
        await user("admin", { iss: "https://evil.example" }),
        { status: 401, body: "Jwt issuer is not configured" },
      ],
      [
        "signed by another key",
        await stranger.sign({ iss: OWN, aud: FOR_US, role: "admin" }),
        { status: 401, body: "Jwt verification fails" },
      ],
      [
        "of the other issuer",
        await provider.sign({
          iss: GOOGLE,
          aud: "your-google-client-id.apps.googleusercontent.com",
          role: "admin",
        }),
        { status: 403, body: "RBAC: access denied" },
      ],
    ];
    for (const [what, token, expected] of refusals)
      assert.deepEqual(await curl("api-service", bearer(token)), expected, what);
    assert.deepEqual(await curl("api-service"), { status: 403, body: "RBAC: access denied" });
  });

  test("DENY of whoever has no request principal (v1beta1), while the mesh runs", async () => {
    await Promise.all(
      ["11-request-authentication", "12-require-jwt-by-role"].map((seed) =>
        rm(join(folder, `${seed}.yaml`)),
      ),
    );
    await place("19-v1beta1-jwt-deny-without-token");
    const claims = { iss: COMPANY, aud: "api.company.com", sub: "bob" };
    const token = await provider.sign(claims);
    const refused = { status: 403, body: "RBAC: access denied" };
    await until("the policy", async () => (await curl("api-gateway")).status === 403);
    assert.deepEqual(await curl("api-gateway"), refused);
    await until("the keys", async () => (await curl("api-gateway", bearer(token))).status === 200);
    const expired = await provider.sign({ ...claims, exp: 1 });
    assert.equal((await curl("api-gateway", bearer(expired))).status, 401);
    await until("the other rules to go", async () => (await curl("api-service")).status === 200);
  });
});
