import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATION_FIELDS, SOURCE_FIELDS } from "../api/authorization-policy.ts";
import { isHttpKey, isHttpOperationField, isHttpSourceField } from "../api/http-conditions.ts";
import { conditionAttribute, OPERATION_RULE_FIELDS, SOURCE_RULE_FIELDS } from "./rule-field.ts";

const KEYS = [
  "connection.sni",
  "destination.ip",
  "destination.port",
  "experimental.envoy.filters.network.mysql_proxy[db.table]",
  "remote.ip",
  "request.auth.audiences",
  "request.auth.claims[a]",
  "request.auth.presenter",
  "request.auth.principal",
  "request.headers[a]",
  "source.ip",
  "source.namespace",
  "source.principal",
  "source.serviceAccount",
  "source.trustDomain",
];

test("AP-60: what advice takes for HTTP is what the engine cannot ask of TCP", () => {
  for (const name of SOURCE_FIELDS) {
    assert.equal(isHttpSourceField(name), SOURCE_RULE_FIELDS[name].attribute.layer === "http");
  }
  for (const name of OPERATION_FIELDS) {
    const { attribute } = OPERATION_RULE_FIELDS[name];
    assert.equal(isHttpOperationField(name), attribute.layer === "http", name);
  }
  for (const key of KEYS) {
    assert.equal(isHttpKey(key), conditionAttribute(key)?.layer === "http", key);
  }
});

test("AP-80..AP-95: every key of the API is known", () => {
  for (const key of KEYS) assert.ok(conditionAttribute(key), key);
});

const unknown = [
  "experimental.envoy.filters.network.mysql_proxy",
  "experimental.envoy.filters.network.mysql_proxy[]",
  "request.headers[]",
  "source.color",
];
for (const key of unknown) {
  test(`AP-37 ${key} is no key`, () => assert.equal(conditionAttribute(key), undefined));
}
