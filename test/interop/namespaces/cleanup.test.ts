/**
 * Nothing is left of a mesh, however it ends: no process, mount, network, socket or file of a pod. What two kills left is
 * gone once the next mesh is up and has ended.
 */
import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../kit/eventually.ts";
import { type MeshTraces, remainsOf, traceMesh } from "../../kit/mesh-remains.ts";
import {
  type Account,
  type NamespacesMesh,
  namespacesForbidden,
  openAccount,
  startCommand,
  startNamespacesMesh,
  type TestUser,
  testUsers,
  untilCommandSays,
} from "../../kit/namespaces-mesh.ts";

const PODS = 2;
/** From here on it is no orderly end any more. */
const END_WITHIN_MS = 15_000;

/** One pod that does as it is asked, and one that does not: it ignores SIGTERM, and has started a daemon. */
const MESH = `apiVersion: apps/v1
kind: Deployment
metadata: {name: polite, namespace: default}
spec:
  selector: {matchLabels: {app: polite}}
  template:
    metadata: {labels: {app: polite, sidecar.istio.io/inject: "true"}}
    spec:
      containers:
      - name: polite
        image: node:20
        command: ["node", "listener.mjs"]
        ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: polite, namespace: default}
spec:
  selector: {app: polite}
  ports: [{name: http, port: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stubborn, namespace: default}
spec:
  selector: {matchLabels: {app: stubborn}}
  template:
    metadata: {labels: {app: stubborn}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: stubborn
        image: busybox
        command: ["sh", "-c", "trap '' TERM INT HUP; setsid sleep 1000 & while true; do sleep 1; done"]
`;

interface Place {
  readonly account: Account;
  readonly temporary: string;
  readonly forbidden: string | undefined;
}

const places = new Map<TestUser, Place>();

before(async () => {
  for (const user of testUsers) {
    const account = await openAccount(user);
    const temporary = join(account.folder, "temporary");
    const files = join(account.folder, "mesh");
    for (const folder of [temporary, files]) {
      await mkdir(folder);
      await account.own(folder);
    }
    await writeFile(join(files, "mesh.yaml"), MESH);
    await copyFile("test/meshes/cold-starts/programs/listener.mjs", join(files, "listener.mjs"));
    places.set(user, { account, temporary, forbidden: await namespacesForbidden(account) });
  }
});
after(async () => {
  for (const { account } of places.values()) await account.remove();
});

/** A mesh with a folder for temporary files that no other mesh uses. */
function startMesh({ account, temporary }: Place): Promise<NamespacesMesh> {
  const environment = { TMPDIR: temporary };
  return startNamespacesMesh(account, { files: join(account.folder, "mesh"), environment });
}

/** @returns undefined when the test is skipped */
function placeOf(user: TestUser, context: TestContext): Place | undefined {
  const place = places.get(user);
  if (place?.forbidden === undefined) return place;
  context.skip(`this machine does not allow it: ${place.forbidden}`);
  return undefined;
}

/** A program may still be on its way into its pod's network when the mesh is up. */
function trace({ data }: NamespacesMesh, { temporary }: Place): Promise<MeshTraces> {
  let problem: unknown;
  return eventually(
    () => `the networks of all pods: ${problem}`,
    () => {
      try {
        return traceMesh(data, { temporary, pods: PODS });
      } catch (error) {
        problem = error;
        return undefined;
      }
    },
  );
}

async function assertAllGone(traces: MeshTraces): Promise<void> {
  let left: readonly string[] = [];
  const gone = eventually("all to be gone", () => {
    left = remainsOf(traces);
    return left.length === 0;
  });
  await gone.catch(() => assert.deepEqual(left, []));
}

/** The process that the host process started, inside the namespaces. */
async function insideProcess(mesh: NamespacesMesh): Promise<number> {
  const { supervisor } = await mesh.state();
  assert.notEqual(supervisor.processId, mesh.child.pid);
  return supervisor.processId;
}

const hostProcess = ({ child }: NamespacesMesh): number => child.pid ?? assert.fail("no process");

interface Ending {
  readonly how: string;
  readonly end: (mesh: NamespacesMesh, place: Place) => unknown;
  /** Exit code, or the signal that ended the host process. */
  readonly expected: number | NodeJS.Signals;
}

const endings: readonly Ending[] = [
  {
    how: "SIGTERM to the host process",
    end: (mesh) => process.kill(hostProcess(mesh), "SIGTERM"),
    expected: 0,
  },
  {
    how: "SIGINT to the whole group, without a terminal",
    end: (mesh) => process.kill(-hostProcess(mesh), "SIGINT"),
    expected: 0,
  },
  {
    how: "SIGHUP to the whole group, as when a terminal closes",
    end: (mesh) => process.kill(-hostProcess(mesh), "SIGHUP"),
    expected: 0,
  },
  {
    how: "hauberk down",
    end: async ({ data }, { account }) => {
      const { code, said } = await account.run(["down", "--data", data]);
      assert.equal(code, 0, said);
    },
    expected: 0,
  },
  {
    how: "kill -9 of the host process",
    end: (mesh) => process.kill(hostProcess(mesh), "SIGKILL"),
    expected: "SIGKILL",
  },
];

for (const user of testUsers) {
  for (const { how, end, expected } of endings) {
    test(`all is gone after ${how}, as ${user} user`, async (context) => {
      const place = placeOf(user, context);
      if (place === undefined) return;
      const mesh = await startMesh(place);
      context.after(() => mesh.stop());
      const traces = await trace(mesh, place);
      const since = performance.now();
      await end(mesh, place);
      const { code, signal } = await mesh.ended;
      assert.equal(code ?? signal, expected, mesh.said());
      await assertAllGone(traces);
      const tookMs = performance.now() - since;
      context.diagnostic(`gone after ${(tookMs / 1000).toFixed(1)} s`);
      assert.ok(tookMs <= END_WITHIN_MS, `${tookMs} ms`);
    });
  }

  for (const [what, victims] of [
    ["the host and the inside process", ["host", "inside"]],
    ["the inside process", ["inside"]],
  ] as const) {
    test(`all is gone after kill -9 of ${what}, and a next mesh, as ${user} user`, async (context) => {
      const place = placeOf(user, context);
      if (place === undefined) return;
      const first = await startMesh(place);
      context.after(() => first.stop());
      const traces = await trace(first, place);
      const inside = await insideProcess(first);
      if (victims.some((one) => one === "host")) process.kill(hostProcess(first), "SIGKILL");
      process.kill(inside, "SIGKILL");
      await first.ended;
      assert.notDeepEqual(remainsOf(traces), [], "a control plane goes on when it is orphaned");
      const next = await startMesh(place);
      context.after(() => next.stop());
      assert.match(next.said(), /ended what an earlier run left/, "it says what it ended");
      const further = await trace(next, place);
      await next.stop();
      await assertAllGone({
        ...further,
        networks: new Set([...traces.networks, ...further.networks]),
      });
    });
  }
}

test("all is gone after one Ctrl-C on a terminal, in order", async (context) => {
  const place = placeOf("ordinary", context);
  if (place === undefined) return;
  const { account, temporary } = place;
  const data = join(account.folder, "data");
  const quoted = [
    ...account.hauberk,
    ...["up", "-f", join(account.folder, "mesh"), "--data", data, "--network", "namespaces"],
  ].map((word) => `'${word}'`);
  const terminal = startCommand(
    ["script", "--quiet", "--return", "--command", `exec ${quoted.join(" ")}`, "/dev/null"],
    {
      cwd: account.folder,
      env: { ...account.environment, TMPDIR: temporary, SHELL: "/bin/sh" },
      input: "pipe",
    },
  );
  context.after(() => terminal.child.kill("SIGKILL"));
  await untilCommandSays(terminal, /Ctrl-C stops it/);
  const traces = traceMesh(data, { temporary, pods: PODS });
  await delay(200);
  terminal.child.stdin?.write("\x03");
  const { code } = await terminal.ended;
  assert.equal(code, 0, terminal.said());
  assert.match(terminal.said(), /stopping/);
  await assertAllGone(traces);
});
