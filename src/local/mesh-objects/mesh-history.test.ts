/** What outlasts a mesh beside what somebody wrote, with the store and the projection that a mesh has. */
import assert from "node:assert/strict";
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../runtime/clock.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { SERVED_KINDS } from "../api-server/kinds/served-kinds.ts";
import { EventRecorder } from "./events/event-recorder.ts";
import { involved } from "./events/happening.ts";
import { KeptLines } from "./kept-lines.ts";
import { KeptObjects } from "./kept-objects.ts";
import { MeshHistory } from "./mesh-history.ts";
import { MeshObjects } from "./mesh-objects.ts";
import { ObjectWriter } from "./projection/object-writer.ts";
import { ProjectedReplicaSets } from "./projection/projected-replica-sets.ts";
import { revisionOf } from "./revisions.ts";

const deploymentText = (image: string, name = "api", namespace = "shop"): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: app, image: ${image}, command: [node]}]}
`;

async function folderOf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

interface Run {
  readonly objects: MeshObjects;
  readonly recorder: EventRecorder;
  readonly problems: readonly string[];
  /** What the files say from now on. */
  offer(...texts: readonly string[]): void;
  list(kind: string): readonly KubernetesObject[];
  find(kind: string, name: string): KubernetesObject;
  end(): Promise<void>;
}

/** From the start of a mesh to its end, without any process. */
async function run(folder: string, ...texts: readonly string[]): Promise<Run> {
  const problems: string[] = [];
  const report = (problem: string): number => problems.push(problem);
  const objects = await MeshObjects.open({
    kinds: SERVED_KINDS,
    kept: new KeptObjects(join(folder, "objects")),
    history: new MeshHistory(join(folder, "history"), report),
    clock: systemClock,
    folder: "/somewhere",
    judge: () => [],
    noticesOf: ({ notices }) => notices,
    report,
  });
  const { store } = objects;
  const kindOf = (name: string) =>
    SERVED_KINDS.find(({ kind, group }) => kind === name && group !== "events.k8s.io") ??
    assert.fail(name);
  const list = (kind: string): readonly KubernetesObject[] => store.list(kindOf(kind));
  const sets = new ProjectedReplicaSets(new ObjectWriter(store));
  const offer = (...offered: readonly string[]): void => {
    const named = offered.map((text, index) => ({ file: `${index}.yaml`, text }));
    assert.deepEqual(objects.offerFiles({ texts: named, issues: [] }).issues, []);
    sets.showCurrent(list("Deployment"));
    sets.finish(list("Deployment"), () => ({ total: 0, ready: 0 }));
  };
  const named = texts.map((text, index) => ({ file: `${index}.yaml`, text }));
  assert.deepEqual(objects.offerFiles({ texts: named, issues: [] }).issues, []);
  objects.begin();
  offer(...texts);
  const recorder = new EventRecorder(store);
  return {
    objects,
    recorder,
    problems,
    offer,
    list,
    find: (kind, name) =>
      list(kind).find(({ metadata }) => metadata.name === name) ?? assert.fail(`${kind} ${name}`),
    async end() {
      recorder.close();
      await objects.settled();
    },
  };
}

const revisions = ({ list }: Run): readonly number[] =>
  list("ReplicaSet")
    .map(revisionOf)
    .sort((one, other) => one - other);
const messages = ({ list }: Run): readonly unknown[] =>
  list("Event").map(({ message, count }) => [message, count]);

function happen({ recorder, find, objects }: Run, message: string): void {
  const kind = SERVED_KINDS.find((one) => one.kind === "Namespace") ?? assert.fail("namespaces");
  const place = { kind, namespace: "", name: "shop" };
  const metadata = { name: "shop" };
  if (objects.store.get(place) === undefined)
    objects.store.commit({
      ...place,
      before: undefined,
      after: { apiVersion: "v1", kind: "Namespace", metadata },
    });
  recorder.record({
    about: involved(find("Deployment", "api")),
    type: "Normal",
    reason: "Tried",
    message,
    component: "test",
  });
}

test("revisions and events outlast the mesh, and still speak of the same Deployment", async (context) => {
  const folder = await folderOf(context);
  const first = await run(folder, deploymentText("one"));
  first.offer(deploymentText("two"));
  assert.deepEqual(revisions(first), [1, 2]);
  happen(first, "again");
  happen(first, "again");
  const { uid, creationTimestamp } = first.find("Deployment", "api").metadata;
  await first.end();

  const second = await run(folder, deploymentText("two"));
  assert.deepEqual(second.problems, []);
  assert.deepEqual(revisions(second), [1, 2], "the same template is no revision");
  const again = second.find("Deployment", "api");
  assert.equal(revisionOf(again), 2);
  assert.deepEqual(
    [again.metadata.uid, again.metadata.creationTimestamp],
    [uid, creationTimestamp],
  );
  assert.deepEqual(messages(second), [["again", 2]]);
  second.offer(deploymentText("one"));
  assert.deepEqual(revisions(second), [2, 3], "what was before is the newest now");
  await second.end();

  const third = await run(folder, deploymentText("three"));
  assert.deepEqual(revisions(third), [2, 3, 4]);
  await third.end();
});

test("what is written no more is forgotten, and comes back as another", async (context) => {
  const folder = await folderOf(context);
  const first = await run(folder, deploymentText("one"), deploymentText("one", "gone", "former"));
  happen(first, "told");
  const { uid } = first.find("Deployment", "gone").metadata;
  await first.end();
  const second = await run(folder, deploymentText("one"));
  assert.deepEqual(
    second.list("ReplicaSet").map(({ metadata }) => metadata.namespace),
    ["shop"],
  );
  await second.end();
  const third = await run(folder, deploymentText("one"), deploymentText("one", "gone", "former"));
  assert.notEqual(third.find("Deployment", "gone").metadata.uid, uid);
  assert.deepEqual(revisions(third), [1, 1]);
  await third.end();
});

test("one that goes and comes while the mesh runs is another", async (context) => {
  const folder = await folderOf(context);
  const first = await run(folder, deploymentText("one"));
  await first.end();
  const second = await run(folder, deploymentText("one"));
  const { uid } = second.find("Deployment", "api").metadata;
  second.offer("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
  second.offer(deploymentText("one"));
  assert.notEqual(second.find("Deployment", "api").metadata.uid, uid);
  await second.end();
});

test("only its user may read it", async (context) => {
  const folder = await folderOf(context);
  const first = await run(folder, deploymentText("one"));
  happen(first, "told");
  await first.end();
  const history = join(folder, "history");
  assert.deepEqual((await readdir(history)).sort(), [
    "events.jsonl",
    "identities.jsonl",
    "revisions.jsonl",
  ]);
  for (const name of await readdir(history))
    assert.equal((await stat(join(history, name))).mode & 0o777, 0o600, name);
  assert.equal((await stat(history)).mode & 0o777, 0o700);
});

const LINES: readonly [what: string, line: string][] = [
  ["no JSON", "{"],
  ["nothing", "null"],
  ["a number", "7"],
  ["a list", "[]"],
  [
    "another kind",
    '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"b","uid":"u"}}',
  ],
  [
    "no name",
    '{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"namespace":"b","uid":"u"}}',
  ],
  [
    "owners that are none",
    '{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"a","namespace":"shop","uid":"u","ownerReferences":"x"}}',
  ],
  [
    "labels that are none",
    '{"apiVersion":"v1","kind":"Event","metadata":{"name":"a","namespace":"shop","uid":"u","labels":{"a":1}}}',
  ],
  [
    "what is on its way out",
    '{"apiVersion":"v1","kind":"Event","metadata":{"name":"a","namespace":"shop","uid":"u","deletionTimestamp":"2026-01-01T00:00:00Z"}}',
  ],
];
for (const [what, line] of LINES)
  test(`a line that holds ${what} loses nothing else`, async (context) => {
    const folder = await folderOf(context);
    const first = await run(folder, deploymentText("one"));
    first.offer(deploymentText("two"));
    happen(first, "told");
    await first.end();
    for (const name of ["events", "identities", "revisions"]) {
      const file = join(folder, "history", `${name}.jsonl`);
      await writeFile(file, `${line}\n${await readFile(file, "utf8")}`);
    }
    const second = await run(folder, deploymentText("two"));
    assert.deepEqual(revisions(second), [1, 2]);
    assert.deepEqual(messages(second), [["told", 1]]);
    assert.deepEqual(second.list("Secret"), []);
    assert.equal(second.problems.length, line === "{" ? 3 : 0);
    await second.end();
  });

test("files that cannot be read at all are told, and the mesh begins with revision 1", async (context) => {
  const folder = await folderOf(context);
  const history = join(folder, "history");
  await mkdir(history);
  await symlink("/dev/zero", join(history, "revisions.jsonl"));
  await mkdir(join(history, "events.jsonl"));
  const mesh = await run(folder, deploymentText("one"));
  assert.equal(mesh.problems.length, 2);
  assert.match(mesh.problems.join("\n"), /revisions\.jsonl is passed over: /);
  assert.deepEqual(revisions(mesh), [1]);
  await mesh.end();
  assert.ok((await lstat(join(history, "revisions.jsonl"))).isFile(), "no link is followed");
});

test("a file grows no further than it may: the first are kept", async (context) => {
  const file = join(await folderOf(context), "lines.jsonl");
  const lines = new KeptLines({ file, maxBytes: 12, report: (problem) => assert.fail(problem) });
  lines.writeSoon(() => ["one", "two", "three"]);
  await lines.settled();
  assert.equal(await readFile(file, "utf8"), '"one"\n"two"\n');
  assert.deepEqual(await lines.load(), ["one", "two"]);
});

test("what changes again and again is written as it is last", async (context) => {
  const file = join(await folderOf(context), "lines.jsonl");
  const lines = new KeptLines({ file, maxBytes: 100, report: (problem) => assert.fail(problem) });
  for (let count = 0; count < 100; count++) lines.writeSoon(() => [count]);
  await lines.settled();
  assert.deepEqual(await lines.load(), [99]);
});
