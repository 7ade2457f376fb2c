import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";
import type { PortProtocol } from "../api/service.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import type { Destination, NetworkAdmission, NetworkRefusal } from "../policy/workload-view.ts";
import { reachable } from "./reachable-endpoints.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
const policies = [{ kind: "NetworkPolicy", namespace: "production", name: "few" }] as const;

/** Counts its connections: what is refused must not reach it. */
async function application(
  protocol: PortProtocol,
): Promise<{ server: Server; connections: number }> {
  const counted = { connections: 0 };
  const server =
    protocol === "http"
      ? createHttpServer((_, response) => response.end("served"))
      : createServer((socket) => {
          socket.on("error", () => socket.destroy());
          socket.on("data", () => socket.write("served"));
        });
  server.on("connection", () => counted.connections++);
  await listening(server);
  return Object.assign(counted, { server });
}

function admission(options: Partial<NetworkAdmission> = {}): NetworkAdmission {
  return { policies, identities: [], anyone: false, ...options };
}

/** `api` behind its sidecar, `frontend` calling it through its own. */
async function stage(options: {
  readonly protocol: PortProtocol;
  readonly admission?: NetworkAdmission;
  readonly mode?: MutualTlsMode;
  readonly refusedBy?: NetworkRefusal;
}) {
  const { protocol, mode = "STRICT", refusedBy } = options;
  const served = await application(protocol);
  const [inbound, outbound] = [await freePort(), await freePort()];
  const port = inboundPort({ listen: inbound, application: portOf(served.server), protocol, mode });
  const view = (admitted: NetworkAdmission | undefined) =>
    workloadView({ rootsPem, ports: [{ ...port, ...(admitted && { admission: admitted }) }] });
  const callee = await start({ view: view(options.admission), svid: mesh.svid(idOf("api")) });
  const api = destination({ name: "api", port: inbound, listen: outbound, protocol });
  const destinations: Destination[] = [
    {
      ...api,
      endpoints: api.endpoints.map((one) => ({ ...one, ...(refusedBy && { refusedBy }) })),
    },
  ];
  const caller = await start({
    view: workloadView({ name: "frontend", rootsPem, destinations }),
    svid: mesh.svid(idOf("frontend")),
  });
  return {
    caller,
    callee,
    inbound,
    outbound,
    served,
    admit: (admitted: NetworkAdmission | undefined) => callee.views.set(view(admitted)),
  };
}

const GET = "GET / HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n";

function send(port: number, text: string): Promise<string> {
  const socket = connect(port, LOOPBACK);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
    if (text !== GET) socket.end();
  });
  socket.on("error", () => socket.destroy());
  socket.write(text);
  return new Promise((resolve) => socket.once("close", () => resolve(answer)));
}

for (const protocol of ["http", "tcp"] as const) {
  const words = protocol === "http" ? GET : "\x01hello";
  const frontend = parseSpiffeId(idOf("frontend"));

  test(`${protocol}: an identity that is admitted is served, and nobody else`, async () => {
    const { outbound, callee, served, admit } = await stage({
      protocol,
      admission: admission({ identities: [parseSpiffeId(idOf("other"))] }),
    });
    assert.doesNotMatch(await send(outbound, words), /served/);
    const refused = await callee.entry(({ decision }) => decision?.verdict === "deny");
    assert.deepEqual(refused.decision?.reason, {
      because: "network-policy",
      direction: "ingress",
      policies,
    });
    assert.equal(served.connections, 0);
    admit(admission({ identities: [frontend] }));
    assert.match(await send(outbound, words), /served/);
  });

  test(`${protocol}: without a certificate only a rule for anyone admits`, async () => {
    const { inbound, callee, served, admit } = await stage({
      protocol,
      mode: "PERMISSIVE",
      admission: admission({ identities: [frontend] }),
    });
    assert.equal(await send(inbound, words), "");
    const refused = await callee.entry(({ decision }) => decision?.verdict === "deny");
    assert.equal(refused.decision?.reason.because, "network-policy");
    assert.equal(served.connections, 0);
    admit(admission({ anyone: true }));
    assert.match(await send(inbound, words), /served/);
    admit(undefined);
    assert.match(await send(inbound, words), /served/);
  });

  test(`${protocol}: an endpoint that may not be reached is not dialled`, async () => {
    const refusedBy = { direction: "egress", policies } as const;
    const { outbound, caller, callee, served } = await stage({ protocol, refusedBy });
    const answer = await send(outbound, words);
    if (protocol === "http") {
      assert.match(answer, /^HTTP\/1\.1 503 /);
      assert.match(answer, /NetworkPolicy production\/few keeps this pod from/);
    } else assert.equal(answer, "");
    const { decision } = await caller.entry();
    assert.deepEqual(decision, {
      verdict: "deny",
      reason: { because: "network-policy", ...refusedBy },
    });
    assert.equal(served.connections, 0);
    assert.deepEqual(callee.entries, []);
  });
}

test("on a STRICT port plaintext that is not admitted is refused for that", async () => {
  const { inbound, callee } = await stage({ protocol: "http", admission: admission() });
  assert.equal(await send(inbound, GET), "");
  const { decision } = await callee.entry();
  assert.equal(decision?.reason.because, "network-policy");
});

test("a connection that stands ends when it is not admitted any more", async () => {
  const { outbound, admit, callee } = await stage({ protocol: "tcp" });
  const socket: Socket = connect(outbound, LOOPBACK);
  socket.write("\x01hello");
  await once(socket, "data");
  admit(admission({ identities: [parseSpiffeId(idOf("frontend"))] }));
  socket.write("\x01again");
  await once(socket, "data");
  const closed = once(socket, "close");
  admit(admission());
  await closed;
  const ended = await callee.entry(({ decision }) => decision?.verdict === "deny");
  assert.equal(ended.decision?.reason.because, "network-policy");
  assert.equal(ended.connection_termination_details, "policy changed");
});

test("a client that says nothing is told, too", async () => {
  const refusedBy = { direction: "ingress", policies } as const;
  const { outbound, caller } = await stage({ protocol: "auto", refusedBy });
  await once(connect(outbound, LOOPBACK).resume(), "close");
  await eventually("an entry", () => caller.entries[0]);
  assert.equal(caller.entries[0]?.decision?.reason.because, "network-policy");
});

test("of several endpoints those that may be reached are left", () => {
  const refusedBy = { direction: "egress", policies } as const;
  const api = destination({ name: "api", port: 1 });
  const [endpoint] = api.endpoints;
  assert.ok(endpoint);
  const endpoints = [{ ...endpoint, refusedBy }, endpoint];
  const reach = reachable({ ...api, endpoints });
  assert.deepEqual(reach, { destination: { ...api, endpoints: [endpoint] } });
  assert.deepEqual(reachable(api), { destination: api });
  const nobody = { ...api, endpoints: [] };
  assert.deepEqual(reachable(nobody), { destination: nobody });
});
