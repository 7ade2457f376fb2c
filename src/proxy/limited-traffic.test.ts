import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { appliedRateLimit } from "../../test/kit/applied-rate-limit.ts";
import { askAdmin } from "../../test/kit/ask-admin.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { AppliedRateLimit } from "../policy/applied-rate-limits.ts";
import type { WorkloadView } from "../policy/workload-view.ts";

const mesh = createThrowawayAuthority();
const api = mesh.svid(idOf("api"));

interface Stage extends TestSidecar {
  readonly port: number;
  readonly reached: () => number;
  readonly view: (...limits: AppliedRateLimit[]) => WorkloadView;
}

const closing: (() => unknown)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function stage(
  limits: readonly AppliedRateLimit[],
  {
    protocol = "http",
    ...options
  }: Partial<ViewOptions> & { readonly protocol?: "http" | "tcp" } = {},
): Promise<Stage> {
  let reached = 0;
  const application: Server | ReturnType<typeof createTcpServer> =
    protocol === "http"
      ? createServer((_request, response) => {
          reached++;
          response.end("hello");
        })
      : createTcpServer((socket) => {
          reached++;
          socket.on("error", () => {}).pipe(socket);
        });
  application.listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const port = await freePort();
  const settings = {
    listen: port,
    application: portOf(application),
    mode: "PERMISSIVE",
    protocol,
  } as const;
  const view: Stage["view"] = (...rateLimits) =>
    workloadView({
      rootsPem: [mesh.rootPem],
      ports: [inboundPort(settings)],
      rateLimits,
      ...options,
    });
  const started = await startTestSidecar({ view: view(...limits), svid: api });
  closing.push(() => started.sidecar.close());
  return { ...started, port, view, reached: () => reached };
}

const statuses = async ({ port }: Stage, paths: readonly string[]): Promise<number[]> => {
  const found: number[] = [];
  for (const path of paths) found.push((await fetch(`http://${LOOPBACK}:${port}${path}`)).status);
  return found;
};

const perHour = { perMs: 3_600_000, amount: 2 } as const;

test("what is over a limit does not reach the application, and is told in answer, log and metrics", async () => {
  const one = await stage([
    appliedRateLimit({ ...perHour, key: ["request.path"], headers: "Always" }),
  ]);
  const first = await fetch(`http://${LOOPBACK}:${one.port}/a`);
  assert.equal(first.headers.get("ratelimit-policy"), '"all";q=2;w=3600');
  assert.equal(first.headers.get("ratelimit"), '"all";r=1;t=1800');
  assert.deepEqual(await statuses(one, ["/a", "/a", "/b"]), [200, 429, 200]);
  assert.equal(one.reached(), 3);
  const refused = await fetch(`http://${LOOPBACK}:${one.port}/a?b=c`);
  assert.deepEqual([refused.status, await refused.text()], [429, "local_rate_limited"]);
  assert.match(refused.headers.get("retry-after") ?? "", /^1(799|800)$/);
  const entry = await one.entry(({ response_code }) => response_code === 429);
  assert.deepEqual(
    [entry.response_flags, entry.response_code_details],
    ["RL", "local_rate_limited"],
  );
  const reason = entry.decision?.reason;
  assert.ok(reason?.because === "rate-limited");
  assert.deepEqual(
    [reason.limit, reason.key, reason.left],
    ["production/limits/all", [{ name: "request.path", value: "/a" }], 0],
  );
  const { body } = await askAdmin(one.adminPort, { path: "/stats/prometheus" });
  assert.match(
    body,
    /^hauberk_rate_limit_total\{limit="production\/limits\/all",outcome="passed"\} 3$/m,
  );
  assert.match(
    body,
    /^hauberk_rate_limit_total\{limit="production\/limits\/all",outcome="refused"\} 2$/m,
  );
  assert.match(
    body,
    /^hauberk_decisions_total\{verdict="deny",because="rate-limited",policy="production\/limits",rule=""\} 2$/m,
  );
});

test("what policies refuse spends nothing, and a view that leaves a limit as it is gives nothing back", async () => {
  const only = { to: [{ paths: ["/a"] }] };
  const one = await stage([appliedRateLimit(perHour)], { policies: [policy("ALLOW", "a", only)] });
  assert.deepEqual(await statuses(one, ["/b", "/b", "/b", "/a"]), [403, 403, 403, 200]);
  one.views.set(one.view(appliedRateLimit({ ...perHour, headers: "Never" })));
  assert.deepEqual(await statuses(one, ["/a", "/a"]), [200, 429]);
  one.views.set(one.view());
  assert.deepEqual(await statuses(one, ["/a"]), [200]);
});

test("a limit on trial refuses nobody, and the log says what it would have done", async () => {
  const one = await stage([appliedRateLimit({ ...perHour, amount: 1, mode: "Shadow" })]);
  assert.deepEqual(await statuses(one, ["/", "/"]), [200, 200]);
  const entry = await one.entry(({ decision }) => decision?.shadowLimits !== undefined);
  assert.equal(entry.response_code, 200);
  assert.equal(entry.decision?.shadowLimits?.[0]?.limit, "production/limits/all");
});

test("who speaks gRPC is told RESOURCE_EXHAUSTED", async () => {
  const one = await stage([appliedRateLimit({ ...perHour, amount: 1, burst: 1 })]);
  await statuses(one, ["/"]);
  const session = connectHttp2(`http://${LOOPBACK}:${one.port}`);
  closing.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/shop.Orders/List",
    "content-type": "application/grpc",
  });
  stream.end();
  const [headers] = await once(stream, "response");
  assert.deepEqual(
    [headers[":status"], headers["grpc-status"], headers["grpc-message"]],
    [200, "8", "local_rate_limited"],
  );
  assert.equal(headers["retry-after"], "3600");
});

/** "carried" once an echo has come back. */
async function knock({
  port,
}: Stage): Promise<{ readonly socket: Socket; readonly end: "carried" | "closed" }> {
  const socket = connect({ host: LOOPBACK, port });
  closing.push(() => socket.destroy());
  socket.on("error", () => {});
  socket.write("ping");
  const end = await Promise.race([
    once(socket, "data").then(() => "carried" as const),
    once(socket, "close").then(() => "closed" as const),
  ]);
  return { socket, end };
}

test("connections over a limit are closed before the application hears of them", async () => {
  const one = await stage([appliedRateLimit({ ...perHour, counts: "connections" })], {
    protocol: "tcp",
  });
  const ends: string[] = [];
  for (let time = 0; time < 4; time++) ends.push((await knock(one)).end);
  assert.deepEqual(ends, ["carried", "carried", "closed", "closed"]);
  assert.equal(one.reached(), 2);
  const entry = await one.entry(({ response_flags }) => response_flags === "RL");
  assert.equal(entry.decision?.reason.because, "rate-limited");
  const { body } = await askAdmin(one.adminPort, { path: "/stats/prometheus" });
  assert.match(body, /^hauberk_rate_limit_total\{.*outcome="refused"\} 2$/m);
});

test("so many connections at once: one that ends makes room, also of HTTP", async () => {
  for (const protocol of ["tcp", "http"] as const) {
    const open = appliedRateLimit({ counts: "openConnections", amount: 1, perMs: 0, burst: 1 });
    const one = await stage([open], { protocol });
    const text = protocol === "tcp" ? "ping" : "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    const knocks = async (): Promise<Socket | undefined> => {
      const socket = connect({ host: LOOPBACK, port: one.port });
      closing.push(() => socket.destroy());
      socket.on("error", () => {}).write(text);
      const carried = once(socket, "data").then(() => socket);
      return Promise.race([carried, once(socket, "close").then(() => undefined)]);
    };
    const first = await knocks();
    assert.ok(first !== undefined);
    assert.equal(await knocks(), undefined);
    first.destroy();
    await once(first, "close");
    await one.entry(({ response_flags }) => response_flags === "RL");
    let again = await knocks();
    for (let time = 0; time < 50 && again === undefined; time++) again = await knocks();
    assert.ok(again !== undefined, `there is room again for ${protocol}`);
  }
});
