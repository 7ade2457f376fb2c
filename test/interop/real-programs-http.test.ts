/** curl of every version of HTTP, and a WebSocket chat, through two sidecars under STRICT; servers are Go's. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { missingParts } from "../kit/missing-parts.ts";
import { buildRealPrograms, type ProgramsMesh, startProgramsMesh } from "../kit/programs-mesh.ts";
import { until } from "../kit/until.ts";

const skip = missingParts("go", "curl", "h2load");

const CALLER = "spiffe://cluster.local/ns/shop/sa/caller";
const VERSIONS = [
  { option: "--http1.0", client: /^1(\.[01])?$/ },
  { option: "--http1.1", client: /^1\.1$/ },
  { option: "--http2-prior-knowledge", client: /^2$/ },
] as const;
/** By how the port is declared; what the application is spoken to in is the port's, whatever the client speaks. */
const PORTS = [
  { port: "HTTP", application: /^HTTP\/(1\.1|2\.0)$/ },
  { port: "HTTP2", application: /^HTTP\/2\.0$/ },
] as const;

describe("HTTP through two sidecars", { skip }, () => {
  let program: string;
  let mesh: ProgramsMesh;

  before(
    async () => {
      program = await buildRealPrograms();
      mesh = await startProgramsMesh("servers", program);
    },
    { timeout: 280_000 },
  );
  after(() => mesh?.stop());

  const web = (port: string): string => `"http://$WEB_SERVICE_HOST:$WEB_SERVICE_PORT_${port}`;
  const SAID = "-w '\\n%{http_code} %{http_version}'";

  for (const { option, client } of VERSIONS) {
    for (const { port, application } of PORTS) {
      test(`curl ${option} at a port declared ${port}`, async () => {
        const output = await mesh.call(`curl -sS -m 10 ${option} ${SAID} ${web(port)}/hello"`);
        const [, spoken, proof, code, version] =
          /^hello over (\S+) from (.*)\n\n(\d+) (\S+)$/.exec(output) ?? assert.fail(output);
        assert.equal(code, "200");
        assert.match(version ?? "", client);
        assert.match(spoken ?? "", application);
        assert.ok(proof?.includes(`URI=${CALLER}`), proof);
      });

      test(`curl ${option} of who may not call a port declared ${port}`, async () => {
        const script = `curl -sS -m 10 ${option} ${SAID} ${web(port)}/hello"`;
        const { output, errors } = await mesh.stranger.runScript(script, 20_000);
        assert.match(output, /^RBAC: access denied\n403 \S+$/, errors);
      });
    }
  }

  // Not over HTTP/2: curl 7.88 fails there at its second request, whoever serves it.
  test("curl uses one connection for twenty requests", async () => {
    const urls = `${web("HTTP")}/noise?octets=100000&number=[1-20]"`;
    const told = "-w '%{stderr}%{http_code} %{num_connects}\n'";
    const output = await mesh.call(`curl -sS -m 20 ${told} ${urls} 2>&1 >"$TMPDIR/noise"
      wc -c < "$TMPDIR/noise"`);
    assert.equal(output, `200 1\n${"200 0\n".repeat(19)}2000000\n`);
  });

  for (const port of ["HTTP", "HTTP2"]) {
    test(`h2load: a hundred requests at once on each of eight connections, ${port}`, async () => {
      const options = "-n 2000 -c 8 -m 100 -T 20";
      const output = await mesh.call(`h2load ${options} ${web(port)}/noise?octets=20000"`);
      assert.match(output, /\n(requests: .* 2000 succeeded, 0 failed, 0 errored, 0 timeout)\n/);
      assert.match(output, /\nstatus codes: 2000 2xx/);
      assert.match(output, /, 38\.15MB \(40000000\) data\n/);
    });
  }

  test("a WebSocket chat: 200 sayings heard by two, one is shown out, one leaves", async () => {
    assert.equal(
      await mesh.call(`${program} chat`),
      "200 sayings heard by both\nclosed there: 4001 shown out\nclosed here: 1000\n",
    );
    const entry = await until("the end of both in the log", async () => {
      const entries = await mesh.inboundLog("chat-0");
      return entries.length === 2 && entries[0];
    });
    assert.deepEqual([entry.path, entry.response_code], ["/room", 101]);
    assert.equal(entry.source_principal, CALLER);
    assert.ok(entry.bytes_sent > 100_000, `${entry.bytes_sent} octets`);
  });

  test("who may not call cannot open a WebSocket", async () => {
    const { code, errors } = await mesh.stranger.run(program, "chat");
    assert.equal(code, 1);
    assert.match(errors, /403/);
  });
});
