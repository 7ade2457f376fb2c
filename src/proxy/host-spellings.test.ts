/** A host has one name, however a client writes it: what a sidecar's policies say of it, over real sockets (AP-52, QK-5). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
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
import type { AppliedPolicy } from "../policy/workload-view.ts";

const ground = sidecarGround();
const ADMIN = "admin.a.com";
const HOSTS = [ADMIN, `${ADMIN}:*`];

type Status = "200" | "400" | "403";

/** @returns what each of the hosts is answered */
async function statuses(
  policies: readonly AppliedPolicy[],
  hosts: readonly string[],
): Promise<readonly string[]> {
  const application = await ground.listening(createServer((_, response) => response.end("ok")));
  const listen = await freePort();
  const port = inboundPort({ listen, application: portOf(application), mode: "PERMISSIVE" });
  await ground.start({
    view: workloadView({ name: "web", rootsPem: ground.rootsPem, policies, ports: [port] }),
    svid: ground.mesh.svid(idOf("web")),
  });
  return Promise.all(hosts.map((host) => statusOf(listen, host)));
}

async function statusOf(port: number, host: string): Promise<string> {
  const socket = connect({ host: LOOPBACK, port });
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  await once(socket, "close");
  return text.slice(9, 12);
}

const rows: [host: string, denied: Status, notAllowed: Status, allowed: Status][] = [
  [ADMIN, "403", "403", "200"],
  [`${ADMIN}:80`, "403", "403", "200"],
  [`${ADMIN}.`, "403", "403", "403"],
  ["Admin.a.COM..", "403", "403", "403"],
  [`${ADMIN}.:80`, "403", "403", "403"],
  ["%61dmin.a.com", "400", "400", "400"],
  ["a.com", "200", "200", "403"],
  ["a.com.", "200", "200", "403"],
  ["admin.a.com.b", "200", "200", "403"],
];
const written = rows.map(([host]) => host);

test("what keeps out holds for a host with closing dots, too", async () => {
  const deny = policy("DENY", "no-admin", { to: [{ hosts: HOSTS }] });
  const allow = policy("ALLOW", "all-but-admin", { to: [{ notHosts: HOSTS }] });
  assert.deepEqual(
    await statuses([deny], written),
    rows.map(([, denied]) => denied),
  );
  assert.deepEqual(
    await statuses([allow], written),
    rows.map(([, , notAllowed]) => notAllowed),
  );
});

test("among thousands of rules, which are found by the host, it is the same", async () => {
  const deny = Array.from({ length: 2_000 }, (_, index) =>
    policy("DENY", `no-${index}`, { to: [{ hosts: [`h${index}.a.com`] }] }),
  );
  assert.deepEqual(await statuses(deny, ["h1999.a.com.", "h7.a.com", "h2000.a.com."]), [
    "403",
    "403",
    "200",
  ]);
});

test("what lets in is for the host as it is written", async () => {
  const allow = policy("ALLOW", "admin", { to: [{ hosts: HOSTS }] });
  assert.deepEqual(
    await statuses([allow], written),
    rows.map(([, , , allowed]) => allowed),
  );
});
