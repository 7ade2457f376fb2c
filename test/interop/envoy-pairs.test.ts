/**
 * Our sidecar and a real Envoy call each other under STRICT, in every protocol, while certificates are renewed; and refuse
 * whoever is not whom they expect.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { PortProtocol } from "../../src/api/service.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { InboundPort, WorkloadView } from "../../src/policy/workload-view.ts";
import { startTestEnvoy } from "../kit/envoy-pod.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import {
  askGrpc,
  askHttp1,
  askHttp2,
  type PairPrograms,
  sayTcp,
  startPairPrograms,
} from "../kit/pair-programs.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  workloadView,
} from "../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

type DataPlane = "sidecar" | "envoy";
const PAIRS: readonly (readonly [caller: DataPlane, callee: DataPlane])[] = [
  ["sidecar", "envoy"],
  ["envoy", "sidecar"],
  ["envoy", "envoy"],
];
const PROTOCOLS = ["http", "grpc", "tcp"] as const;
type Protocol = (typeof PROTOCOLS)[number];
type Ports = Readonly<Record<Protocol, number>>;
const protocolOf = (what: Protocol): PortProtocol => (what === "grpc" ? "http2" : what);

/** Of certificates under load, in seconds: connections live less than half of it. */
const LIFETIME_SECONDS = 5;
const ROTATIONS = 5;
const BETWEEN_ROTATIONS_MS = 1_000;
/** Of a caller's certificates that a callee must see at least, however long connections are kept. */
const FEWEST_SEEN = 3;
const PAUSE_MS = 10;

/** Old enough to have issued what has ended since. */
const mesh = createThrowawayAuthority({ now: new Date(Date.now() - 7_200_000) });
const foreign = createThrowawayAuthority();
let programs: PairPrograms;
before(async () => {
  programs = await startPairPrograms();
});
after(() => programs.close());

interface Side {
  /** Resolves once new connections are opened with that certificate. */
  use(svid: X509Svid): Promise<void>;
  close(): Promise<void>;
}

async function startSide(
  plane: DataPlane,
  options: { readonly view: WorkloadView; readonly svid: X509Svid },
): Promise<Side> {
  if (plane === "sidecar") {
    const { sidecar, svid } = await startTestSidecar(options);
    const use = (next: X509Svid): Promise<void> => Promise.resolve(svid.set(next));
    return { use, close: () => sidecar.close() };
  }
  const started = await startTestEnvoy({
    ...options,
    certificateLifetimeSeconds: LIFETIME_SECONDS,
  });
  const use = async (next: X509Svid): Promise<void> => {
    started.svid.set(next);
    const serial = next.serialNumber.toLowerCase().replace(/^0+/, "");
    const isUsed = async (): Promise<boolean> => (await started.envoy("/certs")).includes(serial);
    await eventually("the certificate in Envoy", isUsed);
  };
  return { use, close: () => started.close() };
}

async function freePorts(): Promise<Ports> {
  return { http: await freePort(), grpc: await freePort(), tcp: await freePort() };
}

/** Each protocol on a container port of its own. */
function inboundPorts(at: Ports): readonly InboundPort[] {
  return PROTOCOLS.map((protocol, index) => ({
    ...inboundPort({
      listen: at[protocol],
      application: portOf(programs[protocol]),
      protocol: protocolOf(protocol),
    }),
    containerPort: 8_080 + index,
  }));
}

interface Pair {
  readonly callee: Side;
  readonly caller: Side;
  /** Of the caller, by which its application calls. */
  readonly calls: Ports;
  close(): Promise<void>;
}

async function startPair(
  [callerPlane, calleePlane]: (typeof PAIRS)[number],
  { mutualTls = true }: { readonly mutualTls?: boolean } = {},
): Promise<Pair> {
  const rootsPem = [mesh.rootPem];
  const [at, calls] = [await freePorts(), await freePorts()];
  const callee = await startSide(calleePlane, {
    view: workloadView({ rootsPem, ports: inboundPorts(at) }),
    svid: mesh.svid(idOf("api")),
  });
  const destinations = PROTOCOLS.map((protocol) => ({
    ...destination({
      name: "api",
      port: at[protocol],
      listen: calls[protocol],
      protocol: protocolOf(protocol),
      mutualTls,
    }),
    ...(protocol !== "http" && {
      serviceName: protocol,
      host: `${protocol}.production.svc.cluster.local`,
    }),
  }));
  const caller = await startSide(callerPlane, {
    view: workloadView({ name: "web", rootsPem: rootsPem, destinations }),
    svid: mesh.svid(idOf("web")),
  });
  return {
    callee,
    caller,
    calls,
    close: async () => {
      await Promise.all([caller.close(), callee.close()]);
    },
  };
}

function sessionTo(port: number): ClientHttp2Session {
  return connectHttp2(`http://${LOOPBACK}:${port}`).on("error", () => undefined);
}

/** One after the other until it is over; what fails is kept. */
class Load {
  readonly failures: string[] = [];
  /** Hashes of those by which the callee knew the caller. */
  readonly certificates = new Set<string>();
  sent = 0;
  #isOver = false;
  readonly #runs: Promise<void>;

  constructor(calls: Ports) {
    const agent = new Agent({ keepAlive: true });
    const kept = async (): Promise<void> => {
      const { status, body, xfcc } = await askHttp1(calls.http, { agent, body: "kept" });
      this.certificates.add(/Hash=([0-9a-f]+)/.exec(xfcc)?.[1] ?? "none");
      assert.deepEqual([status, body], [200, "kept"]);
    };
    const fresh = async (): Promise<void> =>
      assert.equal((await askHttp1(calls.http, { body: "fresh" })).status, 200);
    const http2 = overSession(calls.http, async (session) =>
      assert.equal((await askHttp2(session, "two")).body, "two"),
    );
    const grpc = overSession(calls.grpc, async (session) =>
      assert.equal(await askGrpc(session, "call"), "0"),
    );
    const tcp = async (): Promise<void> => assert.equal(await sayTcp(calls.tcp, "bytes"), "bytes");
    this.#runs = Promise.all(
      Object.entries({ kept, fresh, http2, grpc, tcp }).map(([name, call]) =>
        this.#run(name, call),
      ),
    ).then(() => agent.destroy());
  }

  async #run(name: string, call: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      this.sent++;
      await call().catch((error: unknown) => this.failures.push(`${name}: ${error}`));
      await delay(PAUSE_MS);
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#runs;
  }
}

/** A session that is asked to end is replaced, as clients of HTTP/2 do (RFC 9113 section 6.8). */
function overSession(
  port: number,
  call: (session: ClientHttp2Session) => Promise<void>,
): () => Promise<void> {
  let session: ClientHttp2Session | undefined;
  return () => {
    if (session === undefined || session.closed || session.destroyed) {
      const opened = sessionTo(port);
      opened.once("goaway", () => opened.close());
      session = opened;
    }
    return call(session);
  };
}

const ENDED = { lifetimeMs: 60_000, now: new Date(Date.now() - 3_600_000) };
const REFUSED: readonly [what: string, side: "caller" | "callee", svid: () => X509Svid][] = [
  ["a callee of another identity", "callee", () => mesh.svid(idOf("other"))],
  ["a callee of a foreign root", "callee", () => foreign.svid(idOf("api"))],
  ["a callee whose certificate has ended", "callee", () => mesh.svid(idOf("api"), ENDED)],
  ["a caller of a foreign root", "caller", () => foreign.svid(idOf("web"))],
  ["a caller whose certificate has ended", "caller", () => mesh.svid(idOf("web"), ENDED)],
];

for (const pair of PAIRS) {
  const name = pair.join(" -> ");
  test(`${name}: HTTP/1.1, HTTP/2, gRPC and TCP under STRICT`, async () => {
    const { calls, close } = await startPair(pair);
    const sessions = [sessionTo(calls.http), sessionTo(calls.grpc)] as const;
    try {
      const first = await askHttp1(calls.http, { body: "hello" });
      assert.deepEqual([first.status, first.body], [200, "hello"]);
      assert.match(first.xfcc, new RegExp(`URI=${idOf("web")}`));
      const second = await askHttp2(sessions[0], "hello");
      assert.deepEqual([second.status, second.body], [200, "hello"]);
      assert.equal(await askGrpc(sessions[1], "hello"), "0");
      assert.equal(await sayTcp(calls.tcp, "hello"), "hello");
    } finally {
      for (const session of sessions) session.destroy();
      await close();
    }
  });

  test(`${name}: certificates of both sides that are renewed under load: no call fails`, async () => {
    const { calls, caller, callee, close } = await startPair(pair);
    try {
      const load = new Load(calls);
      for (let rotation = 0; rotation < ROTATIONS; rotation++) {
        await delay(BETWEEN_ROTATIONS_MS);
        await Promise.all([caller.use(mesh.svid(idOf("web"))), callee.use(mesh.svid(idOf("api")))]);
      }
      await delay(BETWEEN_ROTATIONS_MS);
      await load.end();
      assert.deepEqual(load.failures, []);
      assert.ok(load.sent > 100, `only ${load.sent} calls`);
      // A connection lives two seconds here, so that some renewals are seen and not all.
      const seen = load.certificates.size;
      assert.ok(seen >= FEWEST_SEEN, `only ${seen} certificates of the caller were seen`);
      assert.ok(!load.certificates.has("none"));
    } finally {
      await close();
    }
  });

  test(`${name}: whoever is not whom the other expects is refused, by HTTP and TCP`, async (context) => {
    const started = await startPair(pair);
    try {
      for (const [what, side, svid] of REFUSED) {
        await context.test(what, async () => {
          await started[side].use(svid());
          await assertRefused(started.calls);
          await started[side].use(mesh.svid(idOf(side === "caller" ? "web" : "api")));
        });
      }
      assert.equal((await askHttp1(started.calls.http)).status, 200, "those who are, are served");
    } finally {
      await started.close();
    }
  });

  test(`${name}: a caller in plain text is refused, by HTTP and TCP`, async () => {
    const { calls, close } = await startPair(pair, { mutualTls: false });
    try {
      await assertRefused(calls);
    } finally {
      await close();
    }
  });
}

async function assertRefused(calls: Ports): Promise<void> {
  const answer = await askHttp1(calls.http).catch(() => undefined);
  assert.ok(answer === undefined || answer.status === 503, `answered ${answer?.status}`);
  assert.equal(await sayTcp(calls.tcp, "hello").catch(() => ""), "");
}
