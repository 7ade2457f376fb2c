/** External authorizers of connections that carry no HTTP, through a real sidecar (EA-25, EA-29, AP-65). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, type TestContext, test } from "node:test";
import { closeStages, custom, grpc, http, stage } from "../../../test/kit/authorizer-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { denying, grpcAuthorizer } from "../../../test/kit/grpc-authorizer.ts";
import { LOOPBACK, policy, portOf } from "../../../test/kit/sidecar-fixture.ts";

after(closeStages);

/** Says back what it hears. */
async function echo(context: TestContext) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.pipe(socket);
  });
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, LOOPBACK), "listening");
  return { application: portOf(server), connections: () => sockets.length };
}

/** @returns what came back, "" when the connection was closed instead */
async function say(port: number, words: string): Promise<{ socket: Socket; heard: string }> {
  const socket = connect(port, LOOPBACK).on("error", () => {});
  socket.write(words);
  const [first] = await Promise.race([once(socket, "data"), once(socket, "close")]);
  return { socket, heard: Buffer.isBuffer(first) ? first.toString() : "" };
}

const everything = { from: [], to: [], when: [] };

test("EA-25: a gRPC authorizer is asked before the application hears of a connection", async (context) => {
  const { application, connections } = await echo(context);
  const opa = await grpcAuthorizer(context);
  const options = {
    authorizers: [grpc("opa")],
    ports: { opa: opa.port },
    policies: [custom("opa", {}, everything)],
    protocol: "tcp",
    application,
  } as const;
  const one = await stage(options);
  const { socket, heard } = await say(one.port, "hello");
  assert.equal(heard, "hello");
  const [asked] = opa.questions;
  assert.equal(asked?.request, null);
  assert.equal(asked?.source.address.socket_address.address, LOOPBACK);
  assert.equal(asked?.destination.address.socket_address.port_value, 8080);
  opa.answer = denying();
  const refused = await say(one.port, "hello");
  assert.deepEqual([refused.heard, connections()], ["", 1]);
  const entry = await one.entry(({ response_flags }) => response_flags === "UAEX");
  assert.equal(entry.response_code_details, "ext_authz_denied");
  assert.equal(entry.decision?.reason.because, "authorizer-denied");

  // One that stands is judged by the policies anew, and nobody is asked again.
  one.views.set(
    one.view({ ...options, policies: [custom("opa", {}, everything), policy("ALLOW", "all", {})] }),
  );
  socket.write("still");
  const [still] = await once(socket, "data");
  assert.equal(String(still), "still");
  assert.equal(opa.questions.length, 2);
  const other = await grpcAuthorizer(context);
  one.views.set(
    one.view({
      ...options,
      authorizers: [grpc("opa"), grpc("other")],
      ports: { opa: opa.port, other: other.port },
      policies: [custom("opa", {}, everything), custom("other", {}, everything)],
    }),
  );
  await once(socket, "close");
  assert.equal(other.questions.length, 0);
});

test("EA-29, EA-4: an error closes the connection, unless errors let pass", async (context) => {
  const { application } = await echo(context);
  const opa = await grpcAuthorizer(context, 14);
  const options = {
    ports: { opa: opa.port },
    policies: [custom("opa", {}, everything)],
    protocol: "tcp",
    application,
  } as const;
  const one = await stage({ ...options, authorizers: [grpc("opa")] });
  assert.equal((await say(one.port, "hello")).heard, "");
  const entry = await one.entry();
  assert.deepEqual(
    [entry.response_flags, entry.response_code_details],
    ["UAEX", "ext_authz_error"],
  );
  one.views.set(one.view({ ...options, authorizers: [grpc("opa", { failOpen: true })] }));
  await eventually("it passes", async () => (await say(one.port, "hello")).heard === "hello");
});

test("AP-65, QK-60: an authorizer over HTTP cannot be asked about it: it is refused, not passed", async (context) => {
  const { application, connections } = await echo(context);
  const one = await stage({
    authorizers: [http("opa", { failOpen: true })],
    ports: { opa: 1 },
    policies: [custom("opa", {}, everything)],
    protocol: "tcp",
    application,
  });
  assert.equal((await say(one.port, "hello")).heard, "");
  assert.equal(connections(), 0);
  const entry = await one.entry();
  assert.equal(entry.decision?.reason.because, "no-authorizer");
});

test("a client that leaves while it is asked about is waited for by nobody", async (context) => {
  const { application, connections } = await echo(context);
  const opa = await grpcAuthorizer(context, "never");
  const one = await stage({
    authorizers: [grpc("opa")],
    ports: { opa: opa.port },
    policies: [custom("opa", {}, everything)],
    protocol: "tcp",
    application,
  });
  const socket = connect(one.port, LOOPBACK).on("error", () => {});
  socket.write("hello");
  await eventually("it is asked about", () => opa.questions.length === 1);
  socket.resetAndDestroy();
  const entry = await one.entry();
  assert.equal(entry.decision?.reason.because, "authorizer-failed");
  assert.equal(connections(), 0);
});

test("AP-113: one on trial is asked about a connection, which goes on", async (context) => {
  const { application } = await echo(context);
  const opa = await grpcAuthorizer(context, denying());
  const one = await stage({
    authorizers: [grpc("opa")],
    ports: { opa: opa.port },
    policies: [custom("opa", { dryRun: true }, everything)],
    protocol: "tcp",
    application,
  });
  const { socket, heard } = await say(one.port, "hello");
  assert.equal(heard, "hello");
  await eventually("it has answered", async () => {
    const page = await fetch(`http://${LOOPBACK}:${one.adminPort}/stats/prometheus`);
    return (await page.text()).includes('outcome="denied",dry_run="true"} 1');
  });
  socket.end();
  const entry = await one.entry();
  assert.equal(entry.decision?.verdict, "allow");
  assert.equal(entry.decision?.dryRun?.reason.because, "authorizer-denied");
});
