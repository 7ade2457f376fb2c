/** All that Envoys are served, by our encoder and by the library's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { Dice } from "../../../test/kit/dice.ts";
import { generatePolicies, generateTrust } from "../../../test/kit/policy-generator.ts";
import { richInbound } from "../../../test/kit/rich-inbound.ts";
import { generateTraffic } from "../../../test/kit/traffic-generator.ts";
import type { EnvoyResources } from "../../envoy/envoy-json.ts";
import { envoyResources } from "../../envoy/envoy-resources.ts";
import type { ProxySettings } from "../../envoy/proxy-settings.ts";
import { encodeJson } from "./encode-json.ts";
import { ENVOY_MESSAGES } from "./envoy-messages.ts";

const MESSAGES: Readonly<Record<keyof EnvoyResources, string>> = {
  extensionConfigs: "envoy.config.core.v3.TypedExtensionConfig",
  clusters: "envoy.config.cluster.v3.Cluster",
  endpoints: "envoy.config.endpoint.v3.ClusterLoadAssignment",
  listeners: "envoy.config.listener.v3.Listener",
  routes: "envoy.config.route.v3.RouteConfiguration",
};
const CAPTURED: ProxySettings = {
  version: "1.40.0",
  capture: { inboundPort: 15_006, outboundPort: 15_001 },
};
const PLACES: readonly ProxySettings[] = [
  CAPTURED,
  { version: "1.40.0" },
  { version: "1.39.0" },
  { ...CAPTURED, linearUpTo: 0 },
];
const MESHES = 40;

function expectAlike(resources: EnvoyResources): number {
  let compared = 0;
  for (const [kind, type] of Object.entries(MESSAGES)) {
    const schema = ENVOY_MESSAGES.getMessage(type) ?? assert.fail(type);
    for (const json of resources[kind as keyof EnvoyResources]) {
      const options = { registry: ENVOY_MESSAGES };
      const expected = toBinary(schema, fromJson(schema, json as JsonValue, options));
      const encoded = encodeJson(schema, json, ENVOY_MESSAGES);
      assert.equal(Buffer.compare(encoded, expected), 0, `${kind} ${JSON.stringify(json)}`);
      compared++;
    }
  }
  return compared;
}

test("the same bytes, of everything that a proxy can be told at once", () => {
  for (const settings of PLACES)
    assert.ok(expectAlike(envoyResources(richInbound(), settings)) > 5);
});

test("the same bytes, whatever policies say", () => {
  const dice = new Dice(5);
  for (let mesh = 0; mesh < MESHES; mesh++) {
    const view = richInbound();
    const witnesses = Array.from({ length: 4 }, () => generateTraffic(dice));
    const authorization = generatePolicies(dice, witnesses, "any");
    const trust = { ...view.trust, ...generateTrust(dice) };
    const inbound = { ...view.inbound, authorization };
    expectAlike(envoyResources({ ...view, trust, inbound }, dice.pick(PLACES)));
  }
});
