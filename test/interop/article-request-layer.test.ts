/**
 * The article's whole request layer in one mesh: RequestAuthentication and role policy byte for byte, OPA with its one
 * fault mended, its provider in Istio's mesh configuration, and our own section in a document beside it. A request
 * needs OPA's word and a user's role.
 */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runHauberk } from "../kit/hauberk-command.ts";
import { IdentityProvider } from "../kit/identity-provider.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { opaInPath } from "../kit/opa-program.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const HOSTS = ["auth.example.com", "www.googleapis.com"];
const SEEDS = [
  "11-request-authentication.yaml",
  "12-require-jwt-by-role.yaml",
  "13-opa.yaml",
  "14-mesh-config-extension-provider.yaml",
  "15-opa-custom-policy.yaml",
];
const BY_OPA = "\n403";
const BY_ROLE = "RBAC: access denied\n403";

const skip = missingParts("go", "curl");

describe("the article's request layer in one mesh", { skip }, () => {
  const provider = new IdentityProvider(HOSTS);
  let folder: string;
  let mesh: RunningMesh;

  before(async () => {
    await opaInPath();
    folder = await mkdtemp(join(tmpdir(), "hauberk-layer-"));
    await provider.start();
    await cp("test/meshes/article", folder, { recursive: true });
    await rm(join(folder, "caller.yaml"));
    for (const seed of SEEDS) {
      const written = await readFile(`examples/seeds/${seed}`, "utf8");
      await writeFile(join(folder, seed), written.replace(") == [h, m, s]", ") = [h, m, s]"));
    }
    await writeFile(join(folder, "providers.yaml"), provider.manifests(HOSTS));
    mesh = await runMesh([folder]);
    const token = await user("admin");
    await until("the keys and OPA", async () => (await inside([token]))[0]?.endsWith("200"));
  });
  after(async () => {
    await mesh?.stop();
    provider.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const user = (role: string): Promise<string> =>
    provider.sign({ iss: "https://auth.example.com", aud: "api.example.com", sub: "alice", role });

  /** Without an identity. @returns body and status */
  async function outside(token: string): Promise<string> {
    const listen = mesh.workload("api-service").ports[0]?.listen;
    const url = `http://${listen?.address}:${listen?.port}/api/orders`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    return `${await answer.text()}\n${answer.status}`;
  }

  /** With one: a line for each token; "" is none. */
  async function inside(tokens: readonly string[]): Promise<readonly string[]> {
    const calls = tokens.map((token) => {
      const header = token === "" ? "" : `-H 'authorization: Bearer ${token}'`;
      return `curl -s -w '\\n%{http_code}\\n--\\n' ${header} -X POST http://api-service:8080/api/orders`;
    });
    const joining = ["-n", "production", "--name", "visitor", "--service-account", "visitor"];
    const script = ["sh", "-c", calls.join("; ")];
    const { output } = await runHauberk(["run", ...joining, "--data", mesh.data, "--", ...script]);
    return output.split("\n--\n").slice(0, -1);
  }

  test("OPA allows whoever has an identity, and then the role decides", async () => {
    const [editor, viewer, nobody, ...rest] = await inside([
      await user("editor"),
      await user("viewer"),
      "",
    ]);
    assert.match(editor ?? "", /"x-jwt-payload".*\n200$/s);
    assert.deepEqual([viewer, nobody, rest], [BY_ROLE, BY_ROLE, []]);
  });

  test("a good token does not make up for OPA's refusal", async () => {
    assert.equal(await outside(await user("admin")), BY_OPA);
  });

  test("OPA's word does not make up for a bad token", async () => {
    const [bad] = await inside(["no.such.token"]);
    assert.match(bad ?? "", /^Jwt .*\n401$/);
  });

  test("AP-2: OPA is asked first, as in Istio, and sees the token that the client sent", async () => {
    const token = await user("admin");
    await inside([token]);
    const log = await mesh.read("logs/istio-system/opa-authorizer-0/opa.log");
    assert.ok(log.includes(`"authorization":"Bearer ${token}"`));
  });
});
