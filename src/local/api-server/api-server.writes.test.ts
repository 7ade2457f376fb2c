/** What is written over HTTPS, and how it is judged first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  apiServerStage,
  CONFIG_MAPS,
  configMap,
  post,
  put,
  servedKind,
  stageStore,
} from "../../../test/kit/api-server-stage.ts";
import { textAt } from "./kinds/json-access.ts";
import type { JsonObject } from "./kinds/kubernetes-object.ts";
import { StatusError } from "./objects/status-error.ts";

test("what is only tried is judged, answered and not kept", async (context) => {
  const store = stageStore({
    admit: async ({ name }) => {
      if (name === "bad") throw new StatusError(403, "Forbidden", { message: "no" });
      return { warnings: ["mind the gap", 'a "quoted" one\n'] };
    },
  });
  put(store, configMap("there"));
  const { ask } = await apiServerStage(context, { store });
  const version = store.resourceVersion;
  const made = await ask(`${CONFIG_MAPS}?dryRun=All`, post(configMap("new")));
  assert.equal(made.status, 201);
  assert.ok(textAt(made.body, "metadata", "uid") !== "");
  assert.equal(textAt(made.body, "metadata", "resourceVersion"), "");
  assert.equal(made.headers["warning"], '299 - "mind the gap", 299 - "a \\"quoted\\" one "');
  const patched = await ask(`${CONFIG_MAPS}/there?dryRun=All`, {
    method: "PATCH",
    body: { data: { a: "b" } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  assert.deepEqual(patched.body["data"], { a: "b" });
  assert.equal((await ask(`${CONFIG_MAPS}/there?dryRun=All`, { method: "DELETE" })).status, 200);
  assert.equal((await ask(`${CONFIG_MAPS}?dryRun=All`, post(configMap("bad")))).status, 403);
  assert.equal(store.resourceVersion, version);
});

const validations: [how: string, status: number, warning: RegExp | undefined][] = [
  ["Strict", 400, undefined],
  ["Warn", 201, /299 - "unknown field \\"dta\\""/],
  ["", 201, /unknown field/],
  ["Ignore", 201, undefined],
];
for (const [how, status, warning] of validations) {
  test(`an unknown field, fieldValidation ${how || "absent"}`, async (context) => {
    const { ask } = await apiServerStage(context);
    const path = `${CONFIG_MAPS}${how === "" ? "" : `?fieldValidation=${how}`}`;
    const answer = await ask(path, post(configMap("odd", { dta: { a: "b" } })));
    assert.equal(answer.status, status);
    assert.equal(answer.body["dta"], undefined, "it is never kept");
    const told = String(answer.headers["warning"] ?? "");
    if (warning === undefined) assert.equal(told, "");
    else assert.match(told, warning);
  });
}

const strict: [what: string, path: string, body: JsonObject, told: RegExp | undefined][] = [
  [
    "deep in a pod's template",
    "/apis/apps/v1/namespaces/default/deployments",
    {
      metadata: { name: "web" },
      spec: {
        selector: { matchLabels: { any: "thing" } },
        template: {
          metadata: { labels: { any: "thing" } },
          spec: { containers: [{ name: "a", image: "b", prts: [] }], nodeSelector: { x: "y" } },
        },
      },
    },
    /unknown field \\?"spec\.template\.spec\.containers\[0\]\.prts\\?"/,
  ],
  [
    "in a kind of Istio",
    "/apis/security.istio.io/v1/namespaces/default/peerauthentications",
    { metadata: { name: "a" }, spec: { mtls: { mod: "STRICT" } } },
    /unknown field \\?"spec\.mtls\.mod\\?"/,
  ],
  [
    "a user's keys are the user's",
    "/apis/security.istio.io/v1beta1/namespaces/default/peerauthentications",
    {
      metadata: { name: "a", labels: { any: "thing" } },
      spec: { selector: { matchLabels: { any: "thing" } } },
    },
    undefined,
  ],
  ["in metadata", CONFIG_MAPS, { metadata: { name: "a", lables: {} } }, /metadata\.lables/],
];
for (const [what, path, body, problem] of strict) {
  test(`unknown fields: ${what}`, async (context) => {
    const { ask } = await apiServerStage(context);
    const { status, text } = await ask(`${path}?fieldValidation=Strict`, post(body));
    assert.equal(status, problem === undefined ? 201 : 400, text);
    if (problem !== undefined) assert.match(text, problem);
  });
}

test("each version of a kind shows the same objects in its own name", async (context) => {
  const { ask } = await apiServerStage(context);
  const path = (version: string) =>
    `/apis/security.istio.io/${version}/namespaces/default/peerauthentications`;
  const object = { apiVersion: "security.istio.io/v1beta1", metadata: { name: "a" }, spec: {} };
  assert.equal((await ask(path("v1beta1"), post(object))).body["apiVersion"], object.apiVersion);
  for (const version of ["v1", "v1beta1"]) {
    const { body } = await ask(`${path(version)}/a`);
    assert.equal(body["apiVersion"], `security.istio.io/${version}`);
  }
  assert.equal((await ask(`${path("v1alpha1")}/a`)).status, 404);
});

test("what is applied in one version is applied again in another", async (context) => {
  const { ask, store } = await apiServerStage(context);
  const apply = (version: string, mode: string) => {
    const apiVersion = `security.istio.io/${version}`;
    const path = `/apis/${apiVersion}/namespaces/default/peerauthentications/a?fieldManager=me`;
    const metadata = { name: "a" };
    const body = { apiVersion, kind: "PeerAuthentication", metadata, spec: { mtls: { mode } } };
    const headers = { "content-type": "application/apply-patch+yaml" };
    return ask(path, { method: "PATCH", body, headers });
  };
  const made = await apply("v1beta1", "STRICT");
  assert.deepEqual([made.status, made.body["apiVersion"]], [201, "security.istio.io/v1beta1"]);
  const version = store.resourceVersion;
  assert.equal((await apply("v1beta1", "STRICT")).status, 200);
  assert.equal(store.resourceVersion, version, "the same again changes nothing");
  const [stored] = store.list(servedKind("PeerAuthentication"));
  assert.equal(stored?.apiVersion, "security.istio.io/v1");
  const changed = await apply("v1", "DISABLE");
  assert.deepEqual([changed.status, changed.body["apiVersion"]], [200, "security.istio.io/v1"]);
});

test("fields that a kind does not have cannot be applied", async (context) => {
  const { ask, store } = await apiServerStage(context);
  const body = configMap("a", { dta: { a: "b" } });
  const headers = { "content-type": "application/apply-patch+yaml" };
  for (const validation of ["Strict", "Warn", "Ignore"]) {
    const query = `fieldManager=me&fieldValidation=${validation}`;
    const answer = await ask(`${CONFIG_MAPS}/a?${query}`, { method: "PATCH", body, headers });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /\.dta: field not declared in schema/);
  }
  assert.deepEqual(store.list(servedKind("ConfigMap")), []);
});

const patches: [what: string, body: JsonObject, status: number][] = [
  ["another kind", { kind: "Secret" }, 422],
  ["another name", { metadata: { name: "b" } }, 400],
  ["another namespace", { metadata: { namespace: "shop" } }, 400],
  ["another uid", { metadata: { uid: "x" } }, 422],
  ["no metadata", { metadata: null }, 400],
  ["a number for text", { data: { a: 5 } }, 422],
];
for (const [what, body, status] of patches) {
  test(`a patch makes no other object of an object: ${what}`, async (context) => {
    const { ask, store } = await apiServerStage(context);
    const made = put(store, configMap("a"));
    const headers = { "content-type": "application/merge-patch+json" };
    const answer = await ask(`${CONFIG_MAPS}/a`, { method: "PATCH", body, headers });
    assert.equal(answer.status, status, answer.text);
    assert.deepEqual(store.list(servedKind("ConfigMap")), [made]);
  });
}

for (const [what, metadata, status] of [
  ["finalizers", { finalizers: [null] }, 422],
  ["finalizers' list", { finalizers: null }, 201],
  ["labels", { labels: { a: null } }, 201],
  ["annotations", { annotations: { a: null } }, 201],
] as const) {
  test(`a null is no fault of the server's: ${what}`, async (context) => {
    const { ask } = await apiServerStage(context);
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", ...metadata } };
    const answer = await ask(CONFIG_MAPS, post(object));
    assert.equal(answer.status, status, answer.text);
  });
}

test("JSON and YAML are both taken, and nothing else", async (context) => {
  const { ask } = await apiServerStage(context);
  const send = (body: string, type: string) =>
    ask(CONFIG_MAPS, post(body, { "content-type": type }));
  const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: written}\ndata: {a: 'yes'}\n";
  const made = await send(yaml, "application/yaml");
  assert.deepEqual([made.status, made.body["data"]], [201, { a: "yes" }]);
  const broken: [body: string, type: string, status: number][] = [
    [`${yaml}---\n${yaml}`, "application/yaml", 400],
    ["a: [", "application/yaml", 400],
    ["{", "application/json", 400],
    ["[]", "application/json", 400],
    ['"text"', "application/json", 400],
    ["\u0000\u00ff", "application/json", 400],
    [`${'{"a":'.repeat(200)}1${"}".repeat(200)}`, "application/json", 400],
    ["x", "application/vnd.kubernetes.protobuf", 400],
    ["<a/>", "text/xml", 415],
    ["", "application/json", 400],
  ];
  for (const [body, type, status] of broken)
    assert.equal((await send(body, type)).status, status, `${type}: ${body.slice(0, 20)}`);
});

test("names that are JavaScript's own are names like others", async (context) => {
  const { ask } = await apiServerStage(context);
  const data = '{"__proto__":"a","constructor":"b","toString":"c"}';
  const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"data":${data}}`;
  assert.equal((await ask(CONFIG_MAPS, post(body))).status, 201);
  const { text } = await ask(`${CONFIG_MAPS}/odd`);
  for (const name of ["constructor", "toString"]) assert.ok(text.includes(`"${name}":`), name);
  assert.equal((await ask("/api/v1/namespaces/default/constructor")).status, 404);
  assert.equal((await ask("/apis/constructor/v1/toString")).status, 404);
  assert.equal((await ask(`${CONFIG_MAPS}/__proto__`)).status, 404);
});

test("whoever changes is known by a name, given or taken from the program's", async (context) => {
  const { ask } = await apiServerStage(context);
  const managerOf = async (query: string, agent: string): Promise<string> => {
    const call = post(
      { ...configMap(""), metadata: { generateName: "m-" }, data: { a: "b" } },
      { "user-agent": agent },
    );
    const { body } = await ask(`${CONFIG_MAPS}?${query}`, call);
    return textAt(body, "metadata", "managedFields", 0, "manager") || textAt(body, "reason");
  };
  assert.equal(await managerOf("fieldManager=me", "kubectl/v1"), "me");
  assert.equal(await managerOf("", "kubectl/v1.32.4 (linux/amd64)"), "kubectl");
  assert.equal(await managerOf("", ""), "unknown");
  assert.equal(await managerOf(`fieldManager=${"x".repeat(129)}`, ""), "BadRequest");
  assert.equal(await managerOf("fieldManager=a%07b", ""), "BadRequest");
});
