/** Patches of fixed objects, one idea each. */
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";

export interface PatchCase {
  readonly name: string;
  readonly object: KubernetesObject;
  readonly type: "json" | "merge" | "strategic";
  readonly body: JsonValue;
}

const settings: KubernetesObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: "patched",
    labels: { a: "1", b: "2" },
    annotations: { "example.com/a": "1" },
    finalizers: ["x/a", "x/b"],
  },
  data: { a: "1", b: "2" },
};

const shop: KubernetesObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "patched" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "shop" } },
    template: {
      metadata: { labels: { app: "shop" } },
      spec: {
        containers: [
          {
            name: "a",
            image: "a:1",
            args: ["x", "y"],
            env: [
              { name: "A", value: "1" },
              { name: "B", value: "2" },
            ],
            ports: [
              { containerPort: 80, name: "web" },
              { containerPort: 80, protocol: "UDP", name: "quic" },
            ],
          },
          { name: "b", image: "b:1" },
          { name: "c", image: "c:1" },
        ],
        nodeSelector: { disk: "fast" },
        tolerations: [{ key: "t", operator: "Exists" }],
        volumes: [
          { name: "v", configMap: { name: "settings" } },
          { name: "w", emptyDir: {} },
        ],
      },
    },
  },
};

const json = (name: string, ...body: JsonObject[]): PatchCase => ({
  name,
  object: settings,
  type: "json",
  body,
});
const merge = (name: string, body: JsonValue, object = settings): PatchCase => ({
  name,
  object,
  type: "merge",
  body,
});
const strategic = (name: string, body: JsonValue, object = settings): PatchCase => ({
  name,
  object,
  type: "strategic",
  body,
});
const ofPod = (name: string, spec: JsonObject): PatchCase =>
  strategic(name, { spec: { template: { spec } } }, shop);

const add = (path: string, value: JsonValue): JsonObject => ({ op: "add", path, value });

export const PATCH_CASES: readonly PatchCase[] = [
  json("nothing to do"),
  json("add a key", add("/data/c", "3")),
  json("add over a key", add("/data/a", "3")),
  json("add below nothing", add("/binaryData/c", "AA==")),
  json("add to the end of a list", add("/metadata/finalizers/-", "x/c")),
  json("add into a list", add("/metadata/finalizers/0", "x/c")),
  json("add at the end by its number", add("/metadata/finalizers/2", "x/c")),
  json("add beyond a list", add("/metadata/finalizers/3", "x/c")),
  json("add at no number", add("/metadata/finalizers/one", "x/c")),
  json("add before the end of a list", add("/metadata/finalizers/-1", "x/c")),
  json("escaped paths", add("/metadata/annotations/example.com~1a", "7")),
  json("replace", { op: "replace", path: "/data/a", value: "9" }),
  json("replace what is not there", { op: "replace", path: "/data/z", value: "9" }),
  json("replace below nothing", { op: "replace", path: "/binaryData/z", value: "AA==" }),
  json("remove", { op: "remove", path: "/data/a" }),
  json("remove what is not there", { op: "remove", path: "/data/z" }),
  json("remove from a list", { op: "remove", path: "/metadata/finalizers/0" }),
  json("remove beyond a list", { op: "remove", path: "/metadata/finalizers/2" }),
  json("move", { op: "move", from: "/data/a", path: "/data/z" }),
  json("move what is not there", { op: "move", from: "/data/q", path: "/data/z" }),
  json("copy", { op: "copy", from: "/data/a", path: "/data/z" }),
  json("a test that holds", { op: "test", path: "/data/a", value: "1" }, add("/data/c", "3")),
  json("a test that fails", add("/data/c", "3"), { op: "test", path: "/data/a", value: "2" }),
  json("a test of nothing", { op: "test", path: "/data/z", value: null }),
  json("no such operation", { op: "frob", path: "/data/a" }),
  json(
    "keys that every object seems to have",
    add("/data/constructor", "1"),
    add("/data/toString", "2"),
  ),
  { name: "no list", object: settings, type: "json", body: { op: "add" } },
  merge("nothing", {}),
  merge("a key more, one changed, one gone", { data: { a: null, b: "7", c: "3" } }),
  merge("what is not there goes", { data: { z: null } }),
  merge("a map goes", { data: null }),
  merge("a list is replaced", { metadata: { finalizers: ["x/c"] } }),
  merge("all labels go", { metadata: { labels: { a: null, b: null } } }),
  merge(
    "a list of objects is replaced",
    { spec: { template: { spec: { containers: [{ name: "d", image: "d" }] } } } },
    shop,
  ),
  merge("keys that every object seems to have", {
    data: { constructor: "1", hasOwnProperty: "2" },
  }),
  merge("a list", []),
  merge("a text", "text"),
  strategic("nothing", {}),
  strategic("maps merge", { data: { a: null, b: "7", c: "3" } }),
  strategic("a map is replaced", { data: { $patch: "replace", z: "1" } }),
  strategic("a map is emptied", { data: { $patch: "delete" } }),
  strategic("a directive that there is not", { data: { $patch: "frob" } }),
  strategic("a list of texts grows", { metadata: { finalizers: ["x/c", "x/a"] } }),
  strategic("texts go from a list", {
    metadata: { "$deleteFromPrimitiveList/finalizers": ["x/a", "x/z"] },
  }),
  strategic("texts in another order", {
    metadata: { "$setElementOrder/finalizers": ["x/c", "x/b", "x/a"], finalizers: ["x/c"] },
  }),
  strategic("an order that contradicts the list", {
    metadata: { "$setElementOrder/finalizers": ["x/c"], finalizers: ["x/d"] },
  }),
  strategic("keys that every object seems to have", { data: { constructor: "1", toString: "2" } }),
  ofPod("an item changes", { containers: [{ name: "b", image: "b:2" }] }),
  ofPod("an item is added", { containers: [{ name: "d", image: "d:1" }] }),
  ofPod("items are added and changed", {
    containers: [
      { name: "d", image: "d:1" },
      { name: "a", image: "a:2" },
    ],
  }),
  ofPod("an item goes", { containers: [{ name: "b", $patch: "delete" }] }),
  ofPod("an item that is not there goes", { containers: [{ name: "z", $patch: "delete" }] }),
  ofPod("a list is replaced", { containers: [{ $patch: "replace" }, { name: "d", image: "d:1" }] }),
  ofPod("an item without its key", { containers: [{ image: "d:1" }] }),
  ofPod("an order of items", {
    "$setElementOrder/containers": [{ name: "c" }, { name: "a" }, { name: "b" }],
  }),
  ofPod("an order of some items", {
    "$setElementOrder/containers": [{ name: "c" }, { name: "d" }, { name: "a" }],
    containers: [{ name: "d", image: "d:1" }],
  }),
  ofPod("an order, and an item that goes", {
    "$setElementOrder/containers": [{ name: "c" }, { name: "a" }],
    containers: [{ name: "b", $patch: "delete" }],
  }),
  ofPod("lists within items", {
    containers: [
      {
        name: "a",
        env: [
          { name: "B", value: "7" },
          { name: "A", $patch: "delete" },
        ],
        args: ["z"],
      },
    ],
  }),
  ofPod("an item is replaced", {
    containers: [{ name: "a", image: "a:2", env: null, args: null }],
  }),
  ofPod("items with two keys are told apart by the first", {
    containers: [{ name: "a", ports: [{ containerPort: 80, hostPort: 8080 }] }],
  }),
  ofPod("a volume becomes another", {
    volumes: [{ name: "v", $retainKeys: ["name", "emptyDir"], emptyDir: {} }],
  }),
  ofPod("a volume has two sources", { volumes: [{ name: "v", emptyDir: {} }] }),
  ofPod("what retains less than it says", {
    volumes: [{ name: "v", $retainKeys: ["name"], emptyDir: {} }],
  }),
  ofPod("an atomic list is replaced", { tolerations: [{ key: "u", operator: "Exists" }] }),
  ofPod("an atomic map merges all the same", { nodeSelector: { rack: "1" } }),
  ofPod("null in what is new", { securityContext: { runAsUser: 1, runAsGroup: null } }),
  strategic(
    "a strategy with its keys",
    { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } },
    shop,
  ),
];
