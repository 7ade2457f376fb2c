/** Access logs that users configure, in a mesh that runs: the files are where the guide says, and follow the resources. */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const MESH_CONFIG = "accessLogFile: /dev/stdout\naccessLogEncoding: JSON\n";
const telemetry = (logging: object): string =>
  JSON.stringify({
    apiVersion: "telemetry.istio.io/v1",
    kind: "Telemetry",
    metadata: { name: "logs", namespace: "shop" },
    spec: { accessLogging: [{ providers: [{ name: "envoy" }], ...logging }] },
  });

describe("access logs of one's own", () => {
  let folder: string;
  let mesh: RunningMesh;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-"));
    await cp("test/meshes/shop", folder, { recursive: true });
    await writeFile(join(folder, "mesh-config.yaml"), MESH_CONFIG);
    mesh = await runMesh([folder]);
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const linesOf = async (pod: string): Promise<string[]> => {
    const log = await mesh.read(`logs/shop/${pod}-0/istio-access.log`);
    return log.split("\n").filter((line) => line !== "");
  };

  test("OBS-2, OBS-3 accessLogFile and accessLogEncoding of the mesh are heeded by both ends", async () => {
    for (const pod of ["web", "api"]) {
      const [line = ""] = await until(`a line of ${pod}`, async () => {
        const lines = await linesOf(pod);
        return lines.length > 0 && lines;
      });
      const entry: Record<string, unknown> = JSON.parse(line);
      assert.equal(Object.keys(entry).length, 24);
      assert.equal(entry["route_name"], "default");
    }
    const own = await mesh.read("logs/shop/api-0/access.log");
    assert.match(own, /"decision":/);
  });

  test("OBS-10..OBS-12 a Telemetry is in force as soon as it is there", async () => {
    await writeFile(
      join(folder, "telemetry.yaml"),
      telemetry({ filter: { expression: "response.code >= 400" } }),
    );
    await until("silence", async () => {
      const before = (await linesOf("api")).length;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return (await linesOf("api")).length === before;
    });
    await writeFile(
      join(folder, "telemetry.yaml"),
      telemetry({
        match: { mode: "SERVER" },
        filter: { expression: "connection.mtls && response.code < 400" },
      }),
    );
    const count = (await linesOf("api")).length;
    await until("lines again", async () => (await linesOf("api")).length > count);
  });
});
