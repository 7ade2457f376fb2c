import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import type { Probe, ProbeCheck } from "../../api/probe.ts";
import { type Health, runProber } from "./prober.ts";

/** Of TEST-NET-3: only who connects as told gets anywhere. */
const UNREACHABLE = "203.0.113.1";

const probe = (check: ProbeCheck): Probe => ({
  check,
  initialDelaySeconds: 0,
  periodSeconds: 0.02,
  timeoutSeconds: 1,
  failureThreshold: 2,
  successThreshold: 1,
});

interface Heard {
  readonly health: Health;
  readonly problem: string | undefined;
}

interface Tried {
  readonly probe: Probe;
  readonly port?: number;
  readonly initialDelay?: "listened to";
}

function run(context: TestContext, what: Tried): Heard[] {
  const heard: Heard[] = [];
  const stop = new AbortController();
  const running = runProber({
    ...what,
    place: {
      address: () => (what.port ? { address: UNREACHABLE, port: what.port } : undefined),
      redirected: () => undefined,
      connect: ({ port }) => connect({ host: "127.0.0.1", port }),
    },
    exec: (command) => ({
      command: ["/usr/bin/env", ...command],
      environment: { PATH: process.env["PATH"] ?? "" },
      workingDirectory: ".",
    }),
    report: (health, problem) => heard.push({ health, problem }),
    signal: stop.signal,
  });
  context.after(async () => {
    stop.abort();
    await running;
  });
  return heard;
}

async function serve(context: TestContext, status: () => number): Promise<number> {
  const server = createServer((_request, response) => {
    response.statusCode = status();
    response.end("x".repeat(100_000));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test("HTTP: from well to ill and back, each change told once", async (context) => {
  let status = 200;
  const port = await serve(context, () => status);
  const heard = run(context, {
    probe: probe({ kind: "httpGet", scheme: "HTTP", path: "/health", port: 8080, headers: [] }),
    port,
  });
  await eventually("well", () => heard.length === 1);
  status = 500;
  await eventually("ill", () => heard.length === 2);
  status = 302;
  await eventually("well again", () => heard.length === 3);
  assert.deepEqual(
    heard.map(({ health }) => health),
    ["healthy", "unhealthy", "healthy"],
  );
  assert.equal(heard[1]?.problem, "status 500");
});

test("TCP: a port that answers, and one that does not", async (context) => {
  const port = await serve(context, () => 200);
  const well = run(context, { probe: probe({ kind: "tcpSocket", port: 1 }), port });
  const ill = run(context, { probe: probe({ kind: "tcpSocket", port: 1 }), port: 1 });
  await eventually("both", () => well.length + ill.length === 2);
  assert.equal(well[0]?.health, "healthy");
  assert.equal(ill[0]?.health, "unhealthy");
  assert.match(ill[0]?.problem ?? "", /ECONNREFUSED/);
});

test("exec: the exit code decides", async (context) => {
  const exec = (code: string): Probe =>
    probe({ kind: "exec", command: ["sh", "-c", `exit ${code}`] });
  const well = run(context, { probe: exec("0") });
  const ill = run(context, { probe: exec("3") });
  await eventually("both", () => well.length === 1 && ill.length === 1);
  assert.equal(well[0]?.health, "healthy");
  assert.equal(ill[0]?.problem, "sh ended with 3");
});

test("gRPC: what the server says of itself", async (context) => {
  let serving = true;
  const server = createHttp2Server();
  server.on("stream", (stream) => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, serving ? 1 : 2]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const heard = run(context, { probe: probe({ kind: "grpc", port: 9000, service: "" }), port });
  await eventually("well", () => heard[0]?.health === "healthy");
  serving = false;
  await eventually("ill", () => heard[1]?.problem === "it says NOT_SERVING");
});

test("a port that is not the pod's is ill, and says so", async (context) => {
  const heard = run(context, { probe: probe({ kind: "tcpSocket", port: 9 }) });
  await eventually("ill", () => heard.length === 1);
  assert.match(heard[0]?.problem ?? "", /port 9 is not a port of the pod/);
});

const CHECK: ProbeCheck = {
  kind: "httpGet",
  scheme: "HTTP",
  path: "/health",
  port: 8080,
  headers: [],
};

test("whoever is listened to during its initial delay is well at once, and no failure counts by then", async (context) => {
  let status = 500;
  let asked = 0;
  const port = await serve(context, () => {
    asked++;
    return status;
  });
  const slow = { ...probe(CHECK), initialDelaySeconds: 60 };
  const heard = run(context, { probe: slow, port, initialDelay: "listened to" });
  await eventually("more failures than a probe may have", () => asked > slow.failureThreshold);
  assert.deepEqual(heard, []);
  status = 200;
  await eventually("well", () => heard.length === 1);
  status = 500;
  await eventually("ill", () => heard.length === 2);
  assert.deepEqual(
    heard.map(({ health }) => health),
    ["healthy", "unhealthy"],
  );
});

test("an initial delay that nobody is listened to in is waited for", async (context) => {
  let asked = 0;
  const port = await serve(context, () => {
    asked++;
    return 200;
  });
  const heard = run(context, { probe: { ...probe(CHECK), initialDelaySeconds: 0.3 }, port });
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(asked, 0);
  await eventually("well", () => heard.length === 1);
});
