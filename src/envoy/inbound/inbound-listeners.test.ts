import assert from "node:assert/strict";
import { test } from "node:test";
import { richInbound } from "../../../test/kit/rich-inbound.ts";
import { encodeResource } from "../../wire/envoy/encode-resource.ts";
import { discoveredAuthorization } from "../authorization-filters.ts";
import { typeUrl } from "../envoy-json.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { type InboundListeners, inboundListeners } from "./inbound-listeners.ts";

const VERSION = "1.40.0";
const CAPTURE = { inboundPort: 15_006, outboundPort: 15_001 };
const UNDECLARED = { mutualTls: { mode: "STRICT", origin: "default" } } as const;

const INTERCEPTION = {
  undeclaredPorts: {
    ...UNDECLARED,
    ports: [{ containerPort: 9_999, mutualTls: { mode: "PERMISSIVE", origin: "default" } }],
  },
  unknownDestinations: "ALLOW_ANY",
} as const;

function listenersOf(settings: Partial<ProxySettings>): InboundListeners {
  const view = { ...richInbound(), ...(settings.capture && { interception: INTERCEPTION }) };
  const all = { version: VERSION, connectionAgeSeconds: 600, ...settings };
  return inboundListeners(view, all, discoveredAuthorization(view, all));
}

for (const [where, settings] of [
  ["on loopback", {}],
  ["where the kernel leads connections to it", { capture: CAPTURE }],
] as const) {
  test(`all of an inbound side ${where} can be written in the messages that are sent`, () => {
    const { listeners, extensionConfigs } = listenersOf(settings);
    for (const json of listeners)
      encodeResource(typeUrl("envoy.config.listener.v3.Listener"), { name: json.name ?? "", json });
    for (const json of extensionConfigs) {
      const type = typeUrl("envoy.config.core.v3.TypedExtensionConfig");
      encodeResource(type, { name: json.name, json });
    }
  });
}

test("PA-17, PA-18, PA-40: one listener takes what the kernel leads to it, on whatever port", () => {
  const { listeners } = listenersOf({ capture: CAPTURE });
  const [listener, ...others] = listeners;
  assert.equal(others.length, 0);
  const ports = (listener?.filterChains ?? []).map(
    ({ filterChainMatch }) => filterChainMatch?.destinationPort,
  );
  assert.equal(ports.filter((port) => port === undefined).length, 2, "STRICT: HTTP and bytes");
  assert.equal(ports.filter((port) => port === 9_999).length, 5, "PERMISSIVE");
  assert.ok(ports.includes(CAPTURE.inboundPort));
  const filters = (listener?.listenerFilters ?? []).map(({ name }) => name?.split(".").at(-1));
  assert.deepEqual(filters, ["original_dst", "tls_inspector", "http_inspector"]);
});

test("each chain of a proxy has a name of its own, and what filters ask for by name is there once", () => {
  const { listeners, extensionConfigs } = listenersOf({ capture: CAPTURE });
  const chains = listeners.flatMap(({ filterChains = [] }) => filterChains.map(({ name }) => name));
  assert.equal(new Set(chains).size, chains.length);
  const names = extensionConfigs.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const asked = [...JSON.stringify(listeners).matchAll(/"name":"(authorization\/[^"]+)"/g)];
  assert.ok(asked.length > 0);
  for (const [, name = ""] of asked) assert.ok(names.includes(name), name);
});

test("another verdict, or another root, is another chain: connections that stand are drained", () => {
  const view = richInbound();
  const settings = { version: VERSION };
  const chainsOf = (changed: typeof view): readonly string[] =>
    inboundListeners(
      changed,
      settings,
      discoveredAuthorization(changed, settings),
    ).listeners.flatMap(({ filterChains = [] }) =>
      filterChains.map((chain) => JSON.stringify(chain)),
    );
  const before = chainsOf(view);
  assert.deepEqual(chainsOf(structuredClone(view)), before, "equal views make equal chains");
  const { authorization } = view.inbound;
  const fewer = { ...view.inbound, authorization: { ...authorization, deny: [] } };
  const judged = chainsOf({ ...view, inbound: fewer });
  assert.ok(judged.every((chain, index) => isRefusal(chain) || chain !== before[index]));
  const believed = chainsOf({ ...view, trust: { ...view.trust, rootsPem: ["another"] } });
  for (const [index, chain] of believed.entries())
    assert.equal(chain !== before[index], chain.includes("DownstreamTlsContext"), chain);
});

function isRefusal(chain: string): boolean {
  return chain.includes("mesh-refused");
}
