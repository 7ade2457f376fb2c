/** 2 GiB up and down by curl through two sidecars, unchanged, in memory that does not grow with it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { missingParts } from "../kit/missing-parts.ts";
import { buildRealPrograms, type ProgramsMesh, startProgramsMesh } from "../kit/programs-mesh.ts";
import { forgetPeak, residentMemory } from "../kit/resident-memory.ts";

const skip = missingParts("go", "curl");

const LARGE = 2 ** 31;
/** MiB that a sidecar may hold meanwhile. */
const MEMORY_BOUND = 200;
const TRANSFER_MS = 140_000;
const SIDECARS = ["caller-0", "web-0"] as const;

const web = (port: string): string => `"http://$WEB_SERVICE_HOST:$WEB_SERVICE_PORT_${port}`;
const PLAIN = { option: "--http1.1", port: "HTTP" } as const;
const FRAMED = { option: "--http2-prior-knowledge", port: "HTTP2" } as const;

describe("2 GiB through two sidecars", { skip }, () => {
  let program: string;
  let mesh: ProgramsMesh;
  let digest: string;

  before(
    async () => {
      program = await buildRealPrograms();
      mesh = await startProgramsMesh("servers", program);
      const script = `${program} noise ${LARGE} > "$TMPDIR/large" && sha256sum < "$TMPDIR/large"`;
      [digest = ""] = (await mesh.call(script, TRANSFER_MS)).split(" ");
    },
    { timeout: 280_000 },
  );
  after(() => mesh?.stop());

  /** Runs it, prints how it went, and holds both sidecars to the bound. */
  async function transfer(script: string): Promise<string> {
    const sidecars = await Promise.all(SIDECARS.map((pod) => mesh.sidecarOf(pod)));
    for (const sidecar of sidecars) await forgetPeak(sidecar);
    const began = performance.now();
    const output = await mesh.call(script, TRANSFER_MS);
    const seconds = (performance.now() - began) / 1_000;
    const peaks = await Promise.all(sidecars.map(async (one) => (await residentMemory(one)).peak));
    const told = SIDECARS.map((pod, index) => `${pod} ${Math.round(peaks[index] ?? 0)} MiB`);
    const rate = Math.round(LARGE / 2 ** 20 / seconds);
    console.log(`${seconds.toFixed(1)} s, ${rate} MiB/s; at most ${told.join(", ")}`);
    assert.ok(Math.max(...peaks) < MEMORY_BOUND, `more than ${MEMORY_BOUND} MiB: ${told}`);
    return output;
  }

  for (const { option, port } of [PLAIN, FRAMED]) {
    test(`down by curl ${option}`, { timeout: TRANSFER_MS }, async () => {
      const url = `${web(port)}/noise?octets=${LARGE}"`;
      const output = await transfer(`curl -sSf ${option} ${url} | sha256sum`);
      assert.equal(output.split(" ")[0], digest);
    });

    test(`up by curl ${option} -T`, { timeout: TRANSFER_MS }, async () => {
      const file = `"$TMPDIR/large"`;
      const output = await transfer(`curl -sSf ${option} -T ${file} ${web(port)}/large"`);
      assert.equal(output, `${digest} ${LARGE} announced ${LARGE}\n`);
    });
  }

  test("up by curl -T -, in chunks", { timeout: TRANSFER_MS }, async () => {
    const { option, port } = PLAIN;
    const output = await transfer(
      `${program} noise ${LARGE} | curl -sSf ${option} -T - ${web(port)}/large"`,
    );
    assert.equal(output, `${digest} ${LARGE} announced -1\n`);
  });
});
