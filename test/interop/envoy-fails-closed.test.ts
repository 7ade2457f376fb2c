/**
 * A real Envoy that is not told who may call, or told something it cannot take, or told that nothing is known of it any more:
 * whoever may not call reaches nobody, before, meanwhile and afterwards. Counted by the application.
 */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { withDescendants } from "../../src/local/processes/descendants.ts";
import type { EffectiveAuthorization, WorkloadView } from "../../src/policy/workload-view.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import { AlteredDiscovery, type Treatment } from "../kit/altered-discovery.ts";
import {
  ask,
  type Caller,
  MESH_HTTP_ALPN,
  MESH_TCP_ALPN,
  RecordingApplication,
  say,
} from "../kit/envoy-callers.ts";
import { startTestControlPlane, startTestEnvoy, type TestEnvoy } from "../kit/envoy-pod.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import { recordedLog } from "../kit/recorded-log.ts";
import { idOf, inboundPort, policy, workloadView } from "../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

const FORBIDDEN_CALLS = 1_000;
/** Once nothing changes any more. */
const AFTERWARDS = 200;
const AT_ONCE = 20;
/** Of them, before what is tested begins. */
const BEFORE = 200;
/** What a forbidden call carries. */
const MARK = "forbidden";

const mesh = createThrowawayAuthority();
const [web, other] = [mesh.svid(idOf("web")), mesh.svid(idOf("other"))];
const principal = (name: string): string => `cluster.local/ns/production/sa/${name}`;
const ALLOW_WEB = policy("ALLOW", "web", { from: [{ principals: [principal("web")] }] });
const DENY_OTHER = policy("DENY", "other", { from: [{ principals: [principal("other")] }] });
const DENY_THIRD = policy("DENY", "third", { from: [{ principals: [principal("third")] }] });

let application: RecordingApplication;
before(async () => {
  application = await RecordingApplication.start();
});
after(() => application.close());

interface Ports {
  readonly http: number;
  readonly tcp: number;
}

/** What became of calls by whoever may not call. */
interface Forbidden {
  /** As the application counts. */
  readonly arrived: number;
  /** Of those by HTTP; 0: no answer. */
  readonly statuses: ReadonlySet<number>;
}

class Stage {
  readonly #ports: Ports;
  readonly discovery: AlteredDiscovery;
  readonly view: WorkloadView;
  /** Rejects where the agent gives up: nothing listens then. */
  readonly starting: Promise<TestEnvoy>;

  private constructor(ports: Ports, parts: Pick<Stage, "starting" | "discovery" | "view">) {
    this.#ports = ports;
    this.starting = parts.starting;
    this.discovery = parts.discovery;
    this.view = parts.view;
  }

  /** Resolves as soon as Envoy is being started; it ends with the test. */
  static async start(context: TestContext, authorization: Treatment): Promise<Stage> {
    const ports = { http: await freePort(), tcp: await freePort() };
    const view = viewOf(ports);
    const stage = await new Promise<Stage>((resolve, reject) => {
      const starting = startTestEnvoy({
        view,
        svid: mesh.svid(idOf("api")),
        between: async (controlPlane) => {
          const clientRootsPem = [mesh.rootPem];
          const options = { authorization, clientRootsPem, log: recordedLog() };
          const discovery = await AlteredDiscovery.before(controlPlane, options);
          resolve(new Stage(ports, { starting, discovery, view }));
          return discovery;
        },
      });
      starting.catch(reject);
    });
    context.after(async () => (await stage.starting.catch(() => undefined))?.close());
    return stage;
  }

  /** What the one who may call sees, by HTTP and TCP. */
  async allowed(): Promise<string> {
    const byHttp = { port: this.#ports.http, alpn: MESH_HTTP_ALPN, certificate: web };
    const byTcp = { port: this.#ports.tcp, alpn: MESH_TCP_ALPN, certificate: web };
    const { status } = await ask(byHttp, "/");
    return `${status}, ${(await say(byTcp, "hello")) === "" ? "closed" : "answered"}`;
  }

  async servesAllowed(): Promise<void> {
    await eventually(
      "whoever may call to be served",
      async () => (await this.allowed()) === "200, answered",
    );
  }

  /**
   * Calls by whoever may not, in plaintext and with an identity, by HTTP and TCP.
   *
   * @param meanwhile begun while they are under way
   */
  async callForbidden(
    calls: number,
    meanwhile: () => unknown = () => undefined,
  ): Promise<Forbidden> {
    application.taken();
    const statuses = new Set<number>();
    let begun = 0;
    let doing: Promise<unknown> = Promise.resolve();
    const callInTurn = async (): Promise<void> => {
      while (begun < calls) {
        begun++;
        if (begun === BEFORE) doing = Promise.resolve(meanwhile());
        const caller = this.#forbiddenCaller(begun);
        if (caller.port === this.#ports.http) statuses.add((await ask(caller, `/${MARK}`)).status);
        else await say(caller, MARK);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, callInTurn));
    await doing;
    return { arrived: application.taken().split(MARK).length - 1, statuses };
  }

  #forbiddenCaller(index: number): Caller {
    const isHttp = index % 4 < 2;
    const port = isHttp ? this.#ports.http : this.#ports.tcp;
    if (index % 2 === 0) return { port };
    return { port, alpn: isHttp ? MESH_HTTP_ALPN : MESH_TCP_ALPN, certificate: other };
  }

  /** @returns the statuses of those by HTTP */
  async assertNoneArrive(meanwhile?: () => unknown): Promise<readonly number[]> {
    return noneArrived(await this.callForbidden(FORBIDDEN_CALLS, meanwhile));
  }

  /** The same, of fewer. */
  async assertStillNone(): Promise<readonly number[]> {
    return noneArrived(await this.callForbidden(AFTERWARDS));
  }
}

function noneArrived({ arrived, statuses }: Forbidden): readonly number[] {
  assert.equal(arrived, 0, "forbidden calls that arrived");
  assert.ok(!statuses.has(200));
  return [...statuses];
}

function viewOf({ http, tcp }: Ports): WorkloadView {
  const listening = { application: application.port, mode: "PERMISSIVE" } as const;
  return workloadView({
    rootsPem: [mesh.rootPem],
    policies: [ALLOW_WEB, DENY_OTHER],
    ports: [
      inboundPort({ ...listening, listen: http }),
      { ...inboundPort({ ...listening, listen: tcp, protocol: "tcp" }), containerPort: 8081 },
    ],
  });
}

function authorizedBy(view: WorkloadView, authorization: EffectiveAuthorization): WorkloadView {
  return { ...view, inbound: { ...view.inbound, authorization } };
}

/** With one more rule, which is about nobody who calls here. */
function changed(view: WorkloadView): WorkloadView {
  const { authorization } = view.inbound;
  return authorizedBy(view, { ...authorization, deny: [...authorization.deny, DENY_THIRD] });
}

async function envoyProcess(): Promise<number> {
  const [, ...children] = await withDescendants(process.pid);
  return children.at(-1) ?? assert.fail("no Envoy");
}

test("the counter counts: where everybody may call, calls arrive", async (context) => {
  const stage = await Stage.start(context, "passed on");
  const { views } = await stage.starting;
  await stage.servesAllowed();
  views.set(authorizedBy(stage.view, { custom: [], audit: [], deny: [], allow: [] }));
  await eventually(
    "all to arrive",
    async () => (await stage.callForbidden(AFTERWARDS)).arrived === AFTERWARDS,
  );
});

test("the first authorization is withheld: no port opens, then those that open deny everybody", async (context) => {
  const stage = await Stage.start(context, "withheld");
  await eventually("Envoy to ask", () => stage.discovery.withheld > 0);
  await stage.assertNoneArrive();
  // Envoy waits for fifteen seconds, and takes the default then; an agent on a slow machine may have given up by then.
  const started = await stage.starting.catch(() => undefined);
  const statuses = await stage.assertNoneArrive();
  if (started === undefined) return;
  assert.deepEqual(statuses, [403]);
  assert.equal(await stage.allowed(), "403, closed", "nobody is let in by default");
  await stage.assertNoneArrive(() => stage.discovery.treat("passed on"));
  await stage.servesAllowed();
  assert.deepEqual(await stage.assertStillNone(), [403]);
});

test("the first authorization is refused by Envoy: everybody is denied until one comes that it takes", async (context) => {
  const stage = await Stage.start(context, "spoilt");
  const { views } = await stage.starting;
  await eventually("Envoy's refusal", () => stage.discovery.refusals.length > 0);
  assert.deepEqual(await stage.assertNoneArrive(), [403]);
  assert.equal(await stage.allowed(), "403, closed");
  stage.discovery.treat("passed on");
  await stage.assertNoneArrive(() => views.set(changed(stage.view)));
  await stage.servesAllowed();
  assert.deepEqual(await stage.assertStillNone(), [403]);
});

test("a later authorization is refused by Envoy: the one before stays", async (context) => {
  const stage = await Stage.start(context, "passed on");
  const { views } = await stage.starting;
  await stage.servesAllowed();
  stage.discovery.treat("spoilt");
  await stage.assertNoneArrive(async () => {
    views.set(changed(stage.view));
    await eventually("Envoy's refusal", () => stage.discovery.refusals.length > 0);
  });
  await stage.servesAllowed();
  assert.deepEqual(await stage.assertStillNone(), [403]);
});

test("authorization is removed: everybody is denied", async (context) => {
  const stage = await Stage.start(context, "passed on");
  await stage.starting;
  await stage.servesAllowed();
  await stage.assertNoneArrive(() => eventually("Envoy's answer", stage.discovery.remove()));
  await eventually("everybody to be denied", async () => (await stage.allowed()) === "403, closed");
  assert.deepEqual(await stage.assertNoneArrive(), [403]);
});

test("the control plane is back, and knows of nothing: who may call stays as it was; an Envoy that begins then serves nobody", async (context) => {
  const stage = await Stage.start(context, "passed on");
  const { log } = await stage.starting;
  await stage.servesAllowed();
  const views = new WatchedValue<WorkloadView | undefined>(undefined);
  const empty = await startTestControlPlane({ views, of: stage.view, log: recordedLog() });
  context.after(() => empty.close());
  const { opened } = stage.discovery;
  await stage.assertNoneArrive(async () => {
    stage.discovery.lead(empty);
    await eventually("Envoy to come back", () => stage.discovery.opened > opened);
  });
  assert.equal(await stage.allowed(), "200, answered");
  assert.deepEqual(await stage.assertStillNone(), [403]);

  const killed = await envoyProcess();
  const asked = stage.discovery.opened;
  await stage.assertNoneArrive(async () => {
    process.kill(killed, "SIGKILL");
    await eventually("the next Envoy to ask", () => stage.discovery.opened > asked);
  });
  assert.equal(log.find("Envoy ended, and is started again").length, 1);
  assert.equal(await stage.allowed(), "0, closed");
  await stage.assertNoneArrive(() => views.set(stage.view));
  await stage.servesAllowed();
  assert.deepEqual(await stage.assertStillNone(), [403]);
});
