/** What is worked out once for a connection must be worked out again when the view is another one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import { test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";
import { DEFAULT_PROXY_HEADERS } from "../api/proxy-headers.ts";
import type { WorkloadView } from "../policy/workload-view.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
const frontend = mesh.svid(idOf("frontend"));

/** Answers with its own name, the path, and what it is told of the caller. */
function application(name: string): Promise<Server> {
  return listening(
    createHttpServer(({ url, headers }, response) => {
      const caller = headers["x-forwarded-client-cert"] ?? "nobody";
      response.end(`${name} ${url} ${String(caller).replace(/.*URI=.*\/sa\//, "")}`);
    }),
  );
}

function peerConnection(port: number): TLSSocket {
  return connectTls({
    ...{ port, host: LOOPBACK, rejectUnauthorized: false },
    ...{ cert: frontend.certificateChainPem, key: frontend.privateKeyPem },
    ALPNProtocols: ["istio-http/1.1", "istio", "http/1.1"],
  });
}

/** @returns the status and the body */
async function ask(socket: TLSSocket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: api:8080\r\n\r\n`);
  let seen = "";
  for (;;) {
    const [head = "", body = ""] = seen.split("\r\n\r\n", 2);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
    if (body.length === length) return `${head.slice(9, 12)} ${body}`;
    const [chunk]: Buffer[] = await once(socket, "data");
    seen += chunk?.toString("latin1");
  }
}

test("requests of one connection come under each view's own terms", async () => {
  const [first, second] = await Promise.all([application("first"), application("second")]);
  const listen = await freePort();
  const view = (served: Server, changes: Partial<Parameters<typeof workloadView>[0]> = {}) =>
    workloadView({
      rootsPem,
      ports: [inboundPort({ listen, application: portOf(served) })],
      ...changes,
    });
  const { views } = await start({ view: view(first), svid: mesh.svid(idOf("api")) });
  const merging = (base: WorkloadView): WorkloadView => ({
    ...base,
    inbound: { ...base.inbound, pathNormalization: "MERGE_SLASHES" },
  });
  const socket = peerConnection(listen);
  const under: [view: WorkloadView, answer: string][] = [
    [view(first), "200 first //a frontend"],
    [view(second), "200 second //a frontend"],
    [merging(view(second)), "200 second /a frontend"],
    [
      {
        ...view(second),
        proxyHeaders: { ...DEFAULT_PROXY_HEADERS, forwardedClientCert: "SANITIZE" },
      },
      "200 second //a nobody",
    ],
    [view(second, { policies: [policy("ALLOW", "nobody")] }), "403 RBAC: access denied"],
    [view(first), "200 first //a frontend"],
  ];
  for (const [next, answer] of under) {
    views.set(next);
    for (const time of ["first", "again"]) assert.equal(await ask(socket, "//a"), answer, time);
  }
  socket.destroy();
});
