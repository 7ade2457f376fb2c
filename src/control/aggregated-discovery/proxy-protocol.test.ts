import assert from "node:assert/strict";
import { test } from "node:test";
import * as messages from "../../wire/envoy/discovery-messages.ts";
import type { EncodedResource } from "../../wire/envoy/encode-resource.ts";
import type { ProxyResources } from "./encoded-resources.ts";
import { ProxyConversation } from "./proxy-conversation.ts";
import { stateProtocol } from "./proxy-protocol.ts";
import { ResourceSet } from "./resource-set.ts";
import { RESOURCE_TYPES } from "./resource-types.ts";

const protocol = stateProtocol(messages);

/** A resource is its name, as bytes. */
function setOf(names: string): ResourceSet {
  const resources = names.split(" ").map((name): EncodedResource => {
    const bytes = Buffer.from(name);
    return { name, version: "1", inDelta: bytes, inState: bytes };
  });
  return new ResourceSet(resources);
}

function resourcesOf(clusters: string, listeners: string): ProxyResources {
  const one = setOf("one");
  return {
    json: { extensionConfigs: [], clusters: [], endpoints: [], listeners: [], routes: [] },
    encoded: {
      extensionConfigs: one,
      clusters: setOf(clusters),
      endpoints: one,
      listeners: setOf(listeners),
      routes: one,
    },
  };
}

/** All that is sent, each answered: `clusters a b`. */
function told(conversation: ProxyConversation): readonly string[] {
  const all: string[] = [];
  for (let next = conversation.next(); next; next = conversation.next()) {
    const { resources = [] } = protocol.write(next) ?? {};
    all.push([next.type.kind, ...resources.map((one) => Buffer.from(one).toString())].join(" "));
    conversation.answer(next.type, next.nonce, undefined);
  }
  return all;
}

test("state of the world: what is gone is told to be there until nothing leans on it any more", () => {
  const conversation = new ProxyConversation((_, next) => [next]);
  conversation.set(resourcesOf("a old", "leaning-on-old"));
  for (const type of RESOURCE_TYPES.filter(({ wildcard }) => wildcard === "possible")) {
    const request = { subscribe: [], unsubscribe: [], held: {} };
    const response = conversation.take(type, request) ?? assert.fail();
    conversation.answer(type, response.nonce, undefined);
  }
  conversation.set(resourcesOf("a new", "leaning-on-new"));
  assert.deepEqual(told(conversation), [
    "clusters a new old",
    "listeners leaning-on-new leaning-on-old",
    "clusters a new",
    "listeners leaning-on-new",
  ]);
});
