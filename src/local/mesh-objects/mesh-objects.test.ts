import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../runtime/clock.ts";
import type { JsonObject, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { SERVED_KINDS } from "../api-server/kinds/served-kinds.ts";
import { prepareCreate } from "../api-server/objects/prepare-create.ts";
import { timestamp } from "../api-server/objects/timestamp.ts";
import { trackUpdate } from "../api-server/patches/managed-fields.ts";
import { patchObject } from "../api-server/patches/patch-object.ts";
import { MeshPlanError } from "../mesh-plan.ts";
import { SharedPortError } from "../settled-ports.ts";
import { KeptObjects } from "./kept-objects.ts";
import { MeshHistory } from "./mesh-history.ts";
import { MeshObjects } from "./mesh-objects.ts";
import { kindOf, placeOf } from "./object-key.ts";

const FILE = "mesh.yaml";
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: app, image: api, command: [node]}]}
`;
const POLICY = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
`;

/** Who may still be writing there. */
const inFolder = new Map<string, readonly MeshObjects[]>();

interface Context {
  after(done: () => Promise<void>): void;
}

async function folderOf(context: Context): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(async () => {
    await Promise.all((inFolder.get(folder) ?? []).map((objects) => objects.settled()));
    await rm(folder, { recursive: true });
  });
  return folder;
}

async function opened(folder: string): Promise<MeshObjects> {
  const objects = await MeshObjects.open({
    kinds: SERVED_KINDS,
    kept: new KeptObjects(join(folder, "objects")),
    history: new MeshHistory(join(folder, "history"), (problem) => assert.fail(problem)),
    clock: systemClock,
    folder: "/somewhere",
    judge: () => [],
    noticesOf: ({ notices }) => notices,
    report: (problem) => assert.fail(problem),
  });
  inFolder.set(folder, [...(inFolder.get(folder) ?? []), objects]);
  return objects;
}

function offer(objects: MeshObjects, ...texts: readonly string[]) {
  const named = texts.map((text, index) => ({ file: `${index}-${FILE}`, text }));
  return objects.offerFiles({ texts: named, issues: [] });
}

function get(
  objects: MeshObjects,
  apiVersion: string,
  kind: string,
  name: string,
  namespace = "shop",
) {
  const served = kindOf({ apiVersion, kind }, SERVED_KINDS);
  assert.ok(served);
  const object = objects.store.get({ kind: served, namespace, name });
  return object;
}

/** @param subresource as `kubectl scale` has it, which notes no owner of a number that nobody owned */
async function patch(
  objects: MeshObjects,
  before: KubernetesObject,
  body: JsonObject,
  subresource?: "scale",
) {
  const kind = kindOf(before, SERVED_KINDS);
  assert.ok(kind);
  return objects.store.submit(() => {
    const place = placeOf(before, kind);
    const live = objects.store.get(place);
    assert.ok(live);
    const after = patchObject(kind, live, { type: "merge", body });
    const time = timestamp(systemClock);
    const tracked = trackUpdate(kind, live, after, {
      manager: "kubectl",
      apiVersion: before.apiVersion,
      time,
      ...(subresource === undefined ? {} : { subresource }),
    });
    return { ...place, before: live, after: tracked };
  });
}

async function create(objects: MeshObjects, object: KubernetesObject) {
  const kind = kindOf(object, SERVED_KINDS);
  assert.ok(kind);
  const namespace = object.metadata.namespace ?? "";
  const by = { manager: "kubectl", apiVersion: object.apiVersion };
  return objects.store.submit(() => prepareCreate(objects.store, { kind, namespace, object, by }));
}

const namespaceObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const modes = (objects: MeshObjects): readonly string[] =>
  objects.written.current.resources.flatMap((one) =>
    one.kind === "PeerAuthentication" ? [`${one.mode} ${one.meta.source.file}`] : [],
  );

test("files become objects, and what they say counts with their own lines", async (context) => {
  const objects = await opened(await folderOf(context));
  assert.equal(offer(objects, DEPLOYMENT, POLICY).outcome, "taken");
  assert.equal(get(objects, "apps/v1", "Deployment", "api")?.metadata.generation, 1);
  assert.deepEqual(modes(objects), ["STRICT 1-mesh.yaml"]);
});

test("a faulty file changes nothing", async (context) => {
  const objects = await opened(await folderOf(context));
  offer(objects, POLICY);
  const { outcome, issues } = offer(objects, POLICY.replace("STRICT", "STRICTER"), DEPLOYMENT);
  assert.equal(outcome, "refused");
  assert.match(issues[0]?.path ?? "", /mtls\.mode/);
  assert.deepEqual(modes(objects), ["STRICT 0-mesh.yaml"]);
  assert.equal(get(objects, "apps/v1", "Deployment", "api"), undefined);
});

test("what the files say already is known, whatever was refused between", async (context) => {
  const objects = await opened(await folderOf(context));
  offer(objects, POLICY);
  offer(objects, POLICY.replace("STRICT", "STRICTER"));
  assert.equal(offer(objects, POLICY).outcome, "known");
});

test("what a file says no more is gone", async (context) => {
  const objects = await opened(await folderOf(context));
  offer(objects, DEPLOYMENT, POLICY);
  offer(objects, DEPLOYMENT);
  assert.deepEqual(modes(objects), []);
  assert.equal(get(objects, "security.istio.io/v1", "PeerAuthentication", "default"), undefined);
});

test("who changes an object of a file changes the mesh; the file wins when it changes", async (context) => {
  const folder = await folderOf(context);
  const objects = await opened(folder);
  offer(objects, POLICY);
  objects.begin();
  const before = get(objects, "security.istio.io/v1", "PeerAuthentication", "default");
  assert.ok(before);
  await patch(objects, before, { spec: { mtls: { mode: "PERMISSIVE" } } });
  await tick();
  const file = join(folder, "objects/peerauthentications.security.istio.io/shop/default.yaml");
  assert.deepEqual(modes(objects), [`PERMISSIVE ${file}`]);
  offer(objects, `# said anew\n${POLICY}`);
  assert.deepEqual(modes(objects), [`PERMISSIVE ${file}`]);
  offer(objects, POLICY.replace("STRICT", "DISABLE"));
  assert.match(modes(objects)[0] ?? "", /^DISABLE/);
});

test("what is accepted is on its way before its writer hears of it, and once for all that goes together", async (context) => {
  const objects = await opened(await folderOf(context));
  objects.begin();
  await create(objects, namespaceObject);
  const happened: string[] = [];
  objects.written.onChange(({ resources }) => happened.push(`told of ${resources.length}`));
  const policy = (name: string): KubernetesObject => ({
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name, namespace: "shop" },
    spec: { mtls: { mode: "STRICT" } },
  });
  const { object } = await create(objects, policy("one"));
  happened.push("answered");
  assert.deepEqual(happened, ["told of 2", "answered"]);
  await create(objects, policy("two"));
  const kind = kindOf(object, SERVED_KINDS);
  assert.ok(kind);
  for (const before of objects.store.list(kind))
    objects.store.commit({ ...placeOf(before, kind), before, after: undefined });
  await tick();
  assert.deepEqual(happened.slice(2), ["told of 3", "told of 1"]);
});

for (const [said, text] of [
  ["no number", DEPLOYMENT],
  ["a number", DEPLOYMENT.replace("spec:", "spec:\n  replicas: 1")],
] as const) {
  test(`a Deployment of a file that says ${said} of replicas is scaled`, async (context) => {
    const objects = await opened(await folderOf(context));
    offer(objects, text);
    objects.begin();
    const before = get(objects, "apps/v1", "Deployment", "api");
    assert.ok(before);
    for (const replicas of [2, 0, 3]) {
      await patch(objects, before, { spec: { replicas } }, "scale");
      await tick();
      const counted = objects.written.current.resources.flatMap((one) =>
        one.kind === "Deployment" ? [one.replicas] : [],
      );
      assert.deepEqual(counted, [replicas]);
    }
  });
}

test("a namespace that was kept is Active when the mesh starts again", async (context) => {
  const folder = await folderOf(context);
  const first = await opened(folder);
  first.begin();
  await create(first, namespaceObject);
  await first.settled();
  const second = await opened(folder);
  assert.deepEqual(get(second, "v1", "Namespace", "shop", "")?.["status"], { phase: "Active" });
});

test("a label that somebody puts on an object of a file stays when the file changes", async (context) => {
  const objects = await opened(await folderOf(context));
  offer(objects, POLICY);
  const before = get(objects, "security.istio.io/v1", "PeerAuthentication", "default");
  assert.ok(before);
  await patch(objects, before, { metadata: { labels: { team: "blue" } } });
  offer(objects, POLICY.replace("STRICT", "DISABLE"));
  const after = get(objects, "security.istio.io/v1", "PeerAuthentication", "default");
  assert.deepEqual(after?.metadata.labels, { team: "blue" });
  assert.deepEqual(after?.["spec"], { mtls: { mode: "DISABLE" } });
  assert.equal(after?.metadata.generation, 2);
});

const REMOVALS: readonly [what: string, file: string, body: JsonObject, gone: RegExp][] = [
  [
    "the selector of a policy",
    POLICY.replace("spec: {", "spec: {selector: {matchLabels: {app: nobody}}, "),
    { spec: { selector: null } },
    /selector/,
  ],
  [
    "an annotation of a pod template",
    DEPLOYMENT.replace(
      "labels: {app: api}}\n    spec",
      "labels: {app: api}, annotations: {a: b}}\n    spec",
    ),
    { spec: { template: { metadata: { annotations: null } } } },
    /annotations/,
  ],
  [
    "the only label of a namespace",
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n",
    { metadata: { labels: { "istio-injection": null } } },
    /istio-injection/,
  ],
];
for (const [what, file, body, gone] of REMOVALS) {
  test(`who only takes away ${what} changes the mesh, and the file wins when it changes`, async (context) => {
    const folder = await folderOf(context);
    const objects = await opened(folder);
    objects.begin();
    assert.equal(offer(objects, file).outcome, "taken");
    const [object] = SERVED_KINDS.flatMap((kind) => objects.store.list(kind));
    assert.ok(object);
    await patch(objects, object, body);
    const { texts } = objects.written.current;
    assert.deepEqual(
      texts.map(({ setAside = [] }) => setAside.length),
      [1, 0],
    );
    assert.doesNotMatch(texts[1]?.text ?? "", gone);
    await objects.settled();
    assert.doesNotMatch(await readFile(texts[1]?.file ?? "", "utf8"), gone);
    offer(objects, file.replace("metadata: {name", "metadata: {finalizers: [], name"));
    assert.match(objects.written.current.texts.at(-1)?.text ?? "", gone);
  });
}

test("a namespace of which a file says but the name can be labelled, and again once it was not", async (context) => {
  const objects = await opened(await folderOf(context));
  offer(objects, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
  objects.begin();
  const before = get(objects, "v1", "Namespace", "shop", "");
  assert.ok(before);
  for (const label of ["enabled", null, "enabled"]) {
    await patch(objects, before, { metadata: { labels: { "istio-injection": label } } });
    await tick();
    const [namespace] = objects.written.current.resources;
    assert.equal(namespace?.meta.labels["istio-injection"], label ?? undefined);
  }
});

test("what is in no file outlasts the mesh, with who wrote what of it", async (context) => {
  const folder = await folderOf(context);
  const first = await opened(folder);
  offer(first, DEPLOYMENT);
  first.begin();
  await create(first, namespaceObject);
  const [apiVersion, kind] = ["security.istio.io/v1", "PeerAuthentication"];
  const object = { apiVersion, kind, metadata: { name: "own", namespace: "shop" }, spec: {} };
  const { object: made } = await create(first, object);
  const file = join(folder, "objects/peerauthentications.security.istio.io/shop/own.yaml");
  await first.settled();
  assert.match(await readFile(file, "utf8"), /uid/);
  const second = await opened(folder);
  offer(second, DEPLOYMENT);
  const found = get(second, apiVersion, kind, "own");
  assert.equal(found?.metadata.uid, made.metadata.uid);
  assert.deepEqual(found?.metadata.managedFields, made.metadata.managedFields);
  assert.deepEqual(modes(second), [`UNSET ${file}`]);
});

const REFUSED: readonly [what: string, spec: JsonObject, status: number, message: RegExp][] = [
  ["the schema forbids", { mtls: { mode: "SOFT" } }, 422, /PeerAuthentication.* "bad" is invalid/],
  [
    "istiod's webhook forbids",
    { portLevelMtls: { "80": { mode: "STRICT" } } },
    400,
    /validation\.istio\.io/,
  ],
];

for (const [what, spec, status, message] of REFUSED) {
  test(`an object that ${what} is refused, and nothing has changed`, async (context) => {
    const objects = await opened(await folderOf(context));
    offer(objects, POLICY);
    await create(objects, namespaceObject);
    const apiVersion = "security.istio.io/v1";
    const metadata = { name: "bad", namespace: "shop" };
    await assert.rejects(
      create(objects, { apiVersion, kind: "PeerAuthentication", metadata, spec }),
      (error: Error & { status?: number }) =>
        error.status === status && message.test(error.message),
    );
    assert.equal(get(objects, apiVersion, "PeerAuthentication", "bad"), undefined);
  });
}

for (const error of [
  new MeshPlanError("program nodejs is not found"),
  new SharedPortError("another listens on port 80"),
])
  test(`what cannot be started is refused: ${error.code}`, async (context) => {
    const objects = await opened(await folderOf(context));
    offer(objects, DEPLOYMENT);
    objects.checkWith(() => Promise.reject(error));
    const before = get(objects, "apps/v1", "Deployment", "api");
    assert.ok(before);
    await assert.rejects(patch(objects, before, { spec: { replicas: 2 } }), {
      status: 403,
      message: `denied by the mesh: ${error.message}`,
    });
  });

test("whoever changes what has no effect here is warned: another image, an annotation of pods", async (context) => {
  const objects = await opened(await folderOf(context));
  offer(objects, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}", DEPLOYMENT);
  objects.begin();
  const before = get(objects, "apps/v1", "Deployment", "api");
  assert.ok(before);
  const containers = [{ name: "app", image: "api:v2", command: ["node"] }];
  const { warnings } = await patch(objects, before, {
    metadata: { annotations: { "hauberk.dev/proxy": "envoy" } },
    spec: { template: { spec: { containers } } },
  });
  const [image = "", annotation = "", ...others] = warnings;
  assert.match(image, /"api:v2" is not what runs here: container app runs its command/);
  assert.match(annotation, /^metadata\.annotations\["hauberk\.dev\/proxy"\]: has no effect/);
  assert.deepEqual(others, []);
});

test("a Deployment may come before the ConfigMap that its pods mount: they wait for it", async (context) => {
  const objects = await opened(await folderOf(context));
  offer(objects, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
  objects.begin();
  const kinds = (): readonly string[] => objects.written.current.resources.map(({ kind }) => kind);
  const name = "rules";
  const volumes = [{ name, configMap: { name } }];
  const containers = [{ name: "app", image: "api", command: ["node"] }];
  const { warnings } = await create(objects, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "api", namespace: "shop" },
    spec: {
      selector: { matchLabels: { app: "api" } },
      template: { metadata: { labels: { app: "api" } }, spec: { containers, volumes } },
    },
  });
  assert.deepEqual(warnings, ["its pods wait for configMap rules"]);
  await tick();
  assert.deepEqual(kinds(), ["Namespace"]);
  await create(objects, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "shop" },
    data: { "policy.rego": "" },
  });
  await tick();
  assert.deepEqual([...kinds()].sort(), ["ConfigMap", "Deployment", "Namespace"]);
});

test("relative paths of an object lead from the folder of its file, also once somebody changed it", async (context) => {
  const folder = await folderOf(context);
  const objects = await opened(folder);
  const file = join(folder, "here.yaml");
  await writeFile(file, DEPLOYMENT);
  objects.offerFiles({ texts: [{ file, text: DEPLOYMENT }], issues: [] });
  objects.begin();
  const before = get(objects, "apps/v1", "Deployment", "api");
  assert.ok(before);
  await patch(objects, before, { spec: { replicas: 2 } });
  await tick();
  const [deployment] = objects.written.current.resources;
  assert.equal(deployment?.meta.source.folder, folder);
});

test("a status changes neither what is kept nor what is told", async (context) => {
  const folder = await folderOf(context);
  const objects = await opened(folder);
  offer(objects, DEPLOYMENT);
  objects.begin();
  const before = get(objects, "apps/v1", "Deployment", "api");
  assert.ok(before);
  const { object } = await patch(objects, before, { spec: { replicas: 2 } });
  await tick();
  await objects.settled();
  const file = join(folder, "objects/deployments.apps/shop/api.yaml");
  const [text, { mtimeMs }] = [await readFile(file, "utf8"), await stat(file)];
  const written = objects.written.current;
  const kind = kindOf(object, SERVED_KINDS);
  assert.ok(kind);
  const after = { ...object, status: { replicas: 2 } };
  const status = { manager: "hauberk", apiVersion: "apps/v1", subresource: "status" } as const;
  const time = timestamp(systemClock);
  const tracked = trackUpdate(kind, object, after, { ...status, time });
  objects.store.commit({ ...placeOf(object, kind), before: object, after: tracked });
  await tick();
  await objects.settled();
  assert.equal(await readFile(file, "utf8"), text);
  assert.equal((await stat(file)).mtimeMs, mtimeMs);
  assert.equal(objects.written.current, written);
});
