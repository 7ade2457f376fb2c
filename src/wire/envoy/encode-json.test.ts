import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { encodeJson } from "./encode-json.ts";
import { ENVOY_MESSAGES } from "./envoy-messages.ts";

const RBAC = "envoy.extensions.filters.http.rbac.v3.RBAC";
const CLUSTER = "envoy.config.cluster.v3.Cluster";
const LISTENER = "envoy.config.listener.v3.Listener";
const HEADER = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput";
/** As the library. */
const MOST_NESTED = 100;

function input(fields: object): JsonObject {
  const typedConfig = { "@type": `type.googleapis.com/${HEADER}`, ...fields };
  return { name: "x", typedConfig };
}

/** `notMatcher` of `notMatcher`, so often. */
function nested(times: number): JsonObject {
  let predicate: JsonObject = { singlePredicate: { input: input({}), valueMatch: { exact: "a" } } };
  for (let done = 0; done < times; done++) predicate = { notMatcher: predicate };
  return { matcher: { matcherList: { matchers: [{ predicate }] } } };
}

const shared = input({ headerName: ":path" });
function asking(one: JsonObject, other: JsonObject): JsonObject {
  const asked = (of: JsonObject) => ({
    predicate: { singlePredicate: { input: of, valueMatch: { prefix: "/" } } },
  });
  return { matcher: { matcherList: { matchers: [asked(one), asked(other), asked(one)] } } };
}

const MESSAGES: readonly (readonly [title: string, type: string, json: JsonObject])[] = [
  ["nothing", RBAC, {}],
  [
    "fields in another order than their numbers",
    CLUSTER,
    { type: "EDS", name: "a", altStatName: "b" },
  ],
  ["zeros of fields without presence", CLUSTER, { name: "", type: "STATIC", altStatName: "" }],
  ["flags", LISTENER, { name: "a", ignoreGlobalConnLimit: true, enableMptcp: false }],
  [
    "messages with a JSON of their own",
    CLUSTER,
    { connectTimeout: "1.500s", perConnectionBufferLimitBytes: 7 },
  ],
  [
    "structures",
    CLUSTER,
    { metadata: { filterMetadata: { a: { b: [1, "2", null, { c: true }] } } } },
  ],
  ["other characters than those of ASCII", CLUSTER, { name: "bücher", altStatName: "\u{1f511}" }],
  ["a map", RBAC, { rules: { policies: { b: {}, a: { permissions: [{ any: true }] }, "1": {} } } }],
  ["names in the other spelling", CLUSTER, { alt_stat_name: "a" }],
  ["an enum by its number", CLUSTER, { type: 3 }],
  ["what is null", CLUSTER, { name: null, loadAssignment: null }],
  ["a large number", LISTENER, { tcpBacklogSize: 4_294_967_295 }],
  ["an Any that says nothing", RBAC, asking(input({}), input({ headerName: "" }))],
  ["the same object several times", RBAC, asking(shared, shared)],
  [
    "the same object beside what is left to the library",
    RBAC,
    asking(shared, input({ headerName: "ä" })),
  ],
  [
    "many rules",
    RBAC,
    {
      rules: {
        policies: Object.fromEntries(
          Array.from({ length: 5_000 }, (_, at) => [`rule-${at}`, { principals: [{ any: true }] }]),
        ),
      },
    },
  ],
  ["as deep as may be", RBAC, nested(MOST_NESTED - 9)],
];

for (const [title, type, json] of MESSAGES) {
  test(`the bytes are the library's: ${title}`, () => {
    const schema = schemaOf(type);
    const registry = ENVOY_MESSAGES;
    const expected = toBinary(schema, fromJson(schema, json, { registry }));
    assert.deepEqual(Buffer.from(encodeJson(schema, json, registry)), Buffer.from(expected));
  });
}

const FAULTS: readonly (readonly [title: string, type: string, json: JsonObject])[] = [
  ["a field that is not known", CLUSTER, { name: "a", nam: "b" }],
  ["a field of an Any that is not known", RBAC, asking(input({ headerNam: "a" }), shared)],
  [
    "a message that is not known",
    RBAC,
    asking({ name: "x", typedConfig: { "@type": "type.googleapis.com/a.B" } }, shared),
  ],
  ["two of a oneof", CLUSTER, { type: "EDS", clusterType: { name: "a" } }],
  ["a text that is a number", CLUSTER, { name: 1 }],
  ["a list that is none", LISTENER, { filterChains: {} }],
  ["a map that is none", RBAC, { rules: { policies: [] } }],
  ["a name that no enum has", CLUSTER, { type: "EDSS" }],
  ["a number out of range", LISTENER, { tcpBacklogSize: 4_294_967_296 }],
  ["nothing in a list", LISTENER, { filterChains: [null] }],
  ["half a character", CLUSTER, { name: "\ud800" }],
  ["too deep", RBAC, nested(MOST_NESTED)],
];

for (const [title, type, json] of FAULTS) {
  test(`refused as the library refuses it: ${title}`, () => {
    const schema = schemaOf(type);
    const registry = ENVOY_MESSAGES;
    assert.throws(() => toBinary(schema, fromJson(schema, json, { registry })));
    assert.throws(() => encodeJson(schema, json, registry));
  });
}

test("how deep is counted alike, to the last level", () => {
  const schema = schemaOf(RBAC);
  const registry = ENVOY_MESSAGES;
  const isRead = (read: () => unknown): boolean => {
    try {
      read();
      return true;
    } catch {
      return false;
    }
  };
  for (let times = MOST_NESTED - 12; times <= MOST_NESTED; times++) {
    const json = nested(times);
    const byLibrary = isRead(() => fromJson(schema, json, { registry }));
    assert.equal(
      isRead(() => encodeJson(schema, json, registry)),
      byLibrary,
      String(times),
    );
  }
});

function schemaOf(type: string) {
  return ENVOY_MESSAGES.getMessage(type) ?? assert.fail(`nothing is known of ${type}`);
}
