/** A gateway whose pod has a network of its own: what the machine offers of it, and what kubectl forwards to it. */
import assert from "node:assert/strict";
import { get } from "node:http";
import { after, before, describe, test } from "node:test";
import { Kubectl } from "../../kit/kubectl-program.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { missingParts } from "../../kit/missing-parts.ts";
import { until } from "../../kit/until.ts";

const HOST = "shop.example.com";

let mesh: MeshInNamespaces;

describe("a gateway in namespaces", {
  skip: missingParts("kubectl") || namespacesMissing(),
}, () => {
  before(async () => {
    mesh = await MeshInNamespaces.start({ folders: ["examples/ingress"] });
  });
  after(() => mesh?.remove());

  test("is reached where up says, or up says why this machine does not offer it", async () => {
    const line = await until("what became of it", async () =>
      mesh.said.split("\n").findLast((one) => one.includes(` serves http://${HOST}`)),
    );
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    const status = await statusAt(Number(port)).catch(() => "nobody there");
    if (status === "nobody there") assert.match(line, /does not offer it at .*: listen E[A-Z]+/);
    else assert.equal(status, 301, line);
  });

  test("is reached by port-forward", async () => {
    const kubectl = await Kubectl.of(mesh.data);
    const service = "service/istio-ingressgateway";
    const forward = kubectl.start(["port-forward", "-n", "istio-ingress", service, ":80"]);
    try {
      const port = await until(
        "a port",
        async () => /127\.0\.0\.1:(\d+)/.exec(forward.said())?.[1],
      );
      assert.equal(await statusAt(Number(port)), 301);
    } finally {
      forward.child.kill();
      await forward.ended;
    }
  });
});

function statusAt(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, headers: { host: HOST } }, ({ statusCode }) =>
      resolve(statusCode),
    ).on("error", reject);
  });
}
