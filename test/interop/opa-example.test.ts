/** `examples/opa` as its README and the guide tell it: roles by identity, Rego that is changed while the mesh runs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runHauberk } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { opaInPath } from "../kit/opa-program.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";
import { writeWhole } from "../kit/write-whole.ts";

const skip = missingParts("go", "curl");

describe("examples/opa", { skip }, () => {
  let folder: string;
  let mesh: RunningMesh;

  before(async () => {
    await opaInPath();
    folder = await mkdtemp(join(tmpdir(), "hauberk-opa-"));
    await cp("examples/opa", folder, { recursive: true });
    mesh = await runMesh([folder]);
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function ask(account: string, ...parameters: string[]): Promise<string> {
    const joining = ["-n", "shop", "--name", "visitor", "--service-account", account];
    const curl = ["curl", "-s", "-w", "%{http_code}", ...parameters, "http://orders:8080/orders/1"];
    const { output } = await runHauberk(["run", ...joining, "--data", mesh.data, "--", ...curl]);
    return output;
  }

  test("roles by identity, proved over mutual TLS to OPA too; OPA's header replaces the client's own", async () => {
    const log = () => mesh.read("logs/shop/web-0/web.log");
    for (const said of ["orders: GET as reader\n200\n", "OPA: no role of yours allows this\n403\n"])
      await until("web's answers", async () => (await log()).includes(said));
    const clerk = await ask("back-office", "-X", "DELETE", "-H", "x-role: admin");
    assert.equal(clerk, "orders: DELETE as clerk\n200");
    assert.equal(await ask("stranger"), "OPA: no role of yours allows this\n403");
    const asked = await mesh.read("logs/opa-system/opa-0/access.log");
    assert.match(asked, /"source_principal":"spiffe:\/\/cluster\.local\/ns\/shop\/sa\/orders"/);
  });

  test("a rule that is changed is in force soon", async () => {
    const text = await readFile(join(folder, "opa.yaml"), "utf8");
    const changed = text.replace('request.method == "GET"', 'request.method == "DELETE"');
    assert.notEqual(changed, text);
    await writeWhole(join(folder, "opa.yaml"), changed);
    const log = () => mesh.read("logs/shop/web-0/web.log");
    await until("web to delete", async () => (await log()).includes("orders: DELETE as reader"));
  });

  test("nothing is odd in its Rego", async () => {
    const { code, output } = await runHauberk(["analyze", folder]);
    assert.equal(code, 0);
    assert.doesNotMatch(output, /warning|error|not looked at/i);
  });

  test("whoever analyzes Rego asks nobody that it names, and runs nothing that the manifests name", async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const analyzed = await mkdtemp(join(tmpdir(), "hauberk-rego-"));
    const text = await readFile("examples/opa/opa.yaml", "utf8");
    const calling = `caller := http.send({"method": "get", "url": "http://127.0.0.1:${port}/"}).body`;
    await writeFile(join(analyzed, "opa.yaml"), text.replace(/caller := .*/, calling));
    const images = await readFile("examples/opa/images.yaml", "utf8");
    const trap = join(analyzed, "opa");
    await writeFile(trap, `#!/bin/sh\ntouch ${trap}.was-run\n`, { mode: 0o755 });
    await writeFile(join(analyzed, "images.yaml"), images.replace('"opa"', `"${trap}"`));
    const { code } = await runHauberk(["analyze", analyzed]);
    server.close();
    assert.deepEqual([code, asked], [0, 0]);
    assert.equal(existsSync(`${trap}.was-run`), false);
    await rm(analyzed, { recursive: true });
  });
});
