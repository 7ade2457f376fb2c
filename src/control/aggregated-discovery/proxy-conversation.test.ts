import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../runtime/log.ts";
import { type EncodedResource, encodeResource } from "../../wire/envoy/encode-resource.ts";
import { authorizationWay } from "./authorization-way.ts";
import { EncodedResources, type ProxyResources } from "./encoded-resources.ts";
import {
  type AuthorizationWay,
  ProxyConversation,
  type ProxyResponse,
} from "./proxy-conversation.ts";
import { ResourceSet } from "./resource-set.ts";
import { RESOURCE_TYPES, type ResourceKind, type ResourceType } from "./resource-types.ts";

const NOTHING = { subscribe: [], unsubscribe: [], held: {} };

/** Of each kind, names with versions: `a=1 b=2`. */
type Written = Partial<Record<ResourceKind, string>>;

function setOf(written = ""): ResourceSet {
  const items = written.split(" ").filter((item) => item !== "");
  return new ResourceSet(
    items.map((item): EncodedResource => {
      const [name = "", version = ""] = item.split("=");
      return { name, version, inDelta: new Uint8Array(), inState: new Uint8Array() };
    }),
  );
}

/** Conversations look at what is encoded alone. */
const NO_JSON: ProxyResources["json"] = {
  extensionConfigs: [],
  clusters: [],
  endpoints: [],
  listeners: [],
  routes: [],
};

function resources(written: Written): ProxyResources {
  return {
    json: NO_JSON,
    encoded: {
      extensionConfigs: setOf(written.extensionConfigs),
      clusters: setOf(written.clusters),
      endpoints: setOf(written.endpoints),
      listeners: setOf(written.listeners),
      routes: setOf(written.routes),
    },
  };
}

const typeOf = (kind: ResourceKind): ResourceType =>
  RESOURCE_TYPES.find((one) => one.kind === kind) ?? assert.fail(kind);

/** `clusters a=2 -b`: what changed, and what is gone. */
function inWords(response: ProxyResponse | undefined): string {
  if (response === undefined) return "nothing";
  const { type, changed, removed } = response;
  const told = changed.map(({ name, version }) => `${name}=${version}`);
  return [type.kind, ...told, ...removed.map((name) => `-${name}`)].join(" ");
}

/** A proxy that takes whatever it is sent. */
class Talk {
  readonly conversation: ProxyConversation;

  constructor(way: AuthorizationWay) {
    this.conversation = new ProxyConversation(way);
  }

  /** Asks for these of a type; none: all. */
  ask(kind: ResourceKind, names = ""): this {
    const subscribe = names.split(" ").filter((name) => name !== "");
    const response = this.conversation.take(typeOf(kind), { ...NOTHING, subscribe });
    if (response !== undefined) this.conversation.answer(response.type, response.nonce, undefined);
    return this;
  }

  /** Refuses what is sent next. @returns what that was */
  refuse(): string {
    const refused = this.conversation.next() ?? assert.fail("nothing is sent");
    this.conversation.answer(refused.type, refused.nonce, "no");
    return inWords(refused);
  }

  errorOf(kind: ResourceKind): string | undefined {
    return this.conversation.of(typeOf(kind)).error;
  }

  /** All that is sent from now on, one after the other. */
  rest(): readonly string[] {
    const told: string[] = [];
    for (let next = this.conversation.next(); next; next = this.conversation.next()) {
      told.push(inWords(next));
      assert.equal(this.conversation.next(), undefined, "the next before the answer");
      this.conversation.answer(next.type, next.nonce, undefined);
    }
    return told;
  }
}

function talk(written: Written): Talk {
  const started = new Talk((_, next) => [next]);
  started.conversation.set(resources(written));
  return started.ask("clusters").ask("listeners");
}

test("changes are sent in an order in which nothing leans on what is not there, and what is gone comes last", () => {
  const proxy = talk({ clusters: "old=1 kept=1", listeners: "in=1", routes: "80=1" });
  proxy.ask("endpoints", "old kept").ask("routes", "80").ask("extensionConfigs", "rbac");
  proxy.conversation.set(
    resources({
      extensionConfigs: "rbac=2",
      clusters: "new=1 kept=1",
      endpoints: "kept=2",
      listeners: "in=2 out=1",
      routes: "80=2",
    }),
  );
  assert.deepEqual(proxy.rest(), [
    "extensionConfigs rbac=2",
    "clusters new=1",
    "endpoints kept=2",
    "listeners in=2 out=1",
    "routes 80=2",
    "clusters -old",
  ]);
  assert.ok(proxy.conversation.isSettled);
});

test("a cluster that changes is followed by its endpoints, which the proxy does not ask for again", () => {
  const proxy = talk({ clusters: "a=1 b=1", endpoints: "a=1 b=1" }).ask("endpoints", "a b");
  proxy.conversation.set(resources({ clusters: "a=2 b=1", endpoints: "a=1 b=1" }));
  assert.deepEqual(proxy.rest(), ["clusters a=2", "endpoints a=1"]);
});

test("only what was asked for is sent", () => {
  const proxy = talk({ endpoints: "a=1 b=1" }).ask("endpoints", "a");
  proxy.conversation.set(resources({ endpoints: "a=1 b=2" }));
  assert.deepEqual(proxy.rest(), []);
  proxy.conversation.set(resources({ endpoints: "a=2 b=3" }));
  assert.deepEqual(proxy.rest(), ["endpoints a=2"]);
});

test("what is asked for and is not there is told to be gone, and sent once it is there", () => {
  const { conversation } = talk({});
  const response = conversation.take(typeOf("endpoints"), { ...NOTHING, subscribe: ["a"] });
  assert.equal(inWords(response), "endpoints -a");
  conversation.answer(typeOf("endpoints"), response?.nonce ?? "", undefined);
  conversation.set(resources({ endpoints: "a=1" }));
  assert.equal(inWords(conversation.next()), "endpoints a=1");
});

test("QK-69: authorization takes each step once the one before is answered, and goes on from where it was refused", () => {
  const way: AuthorizationWay = (has, next) => {
    const version = `${has.find("rbac")?.version}+${next.find("rbac")?.version}`;
    return [setOf(`rbac=${version}`), next];
  };
  const proxy = new Talk(way);
  proxy.conversation.set(resources({ extensionConfigs: "rbac=1" }));
  proxy.ask("extensionConfigs", "rbac");
  proxy.conversation.set(resources({ extensionConfigs: "rbac=2" }));
  assert.deepEqual(proxy.rest(), ["extensionConfigs rbac=1+2", "extensionConfigs rbac=2"]);

  const { conversation } = proxy;
  conversation.set(resources({ extensionConfigs: "rbac=3" }));
  const refused = conversation.next();
  assert.equal(inWords(refused), "extensionConfigs rbac=2+3");
  conversation.answer(typeOf("extensionConfigs"), refused?.nonce ?? "", "no");
  assert.equal(conversation.next(), undefined, "no step is taken from a state that was refused");
  assert.equal(conversation.of(typeOf("extensionConfigs")).error, "no");
  conversation.set(resources({ extensionConfigs: "rbac=4" }));
  assert.deepEqual(proxy.rest(), ["extensionConfigs rbac=2+4", "extensionConfigs rbac=4"]);
});

test("what was refused may have been taken in part: that is told anew with the next change, and then the refusal is over", () => {
  for (const [refused, next, sent] of [
    ["a=2", "a=1", ["clusters a=1"]],
    ["a=2", "a=3", ["clusters a=3"]],
    ["a=2 b=1", "a=1", ["clusters a=1", "clusters -b"]],
    ["a=1 b=1", "a=1", ["clusters -b"]],
    ["a=2 b=1", "a=1 b=2", ["clusters b=2 a=1"]],
  ] as const) {
    const proxy = talk({ clusters: "a=1" });
    proxy.conversation.set(resources({ clusters: refused }));
    proxy.refuse();
    assert.deepEqual(proxy.rest(), [], "the answer to a refusal");
    assert.equal(proxy.errorOf("clusters"), "no");
    proxy.conversation.set(resources({ clusters: next }));
    const first = proxy.conversation.next() ?? assert.fail("nothing is sent");
    assert.equal(proxy.errorOf("clusters"), "no", "before the proxy has taken anything");
    proxy.conversation.answer(first.type, first.nonce, undefined);
    assert.deepEqual([inWords(first), ...proxy.rest()], sent);
    assert.equal(proxy.errorOf("clusters"), undefined);
    assert.ok(proxy.conversation.isSettled);
  }
});

test("what was taken away beside a refusal comes back with what is wanted again", () => {
  const proxy = talk({ clusters: "a=1 b=1" });
  proxy.conversation.set(resources({ clusters: "a=2" }));
  assert.equal(proxy.refuse(), "clusters a=2");
  assert.deepEqual(proxy.rest(), ["clusters -b"]);
  assert.equal(proxy.errorOf("clusters"), "no", "it took what is gone, not what it refused");
  proxy.conversation.set(resources({ clusters: "a=1 b=1" }));
  assert.deepEqual(proxy.rest(), ["clusters a=1 b=1"]);
  assert.equal(proxy.errorOf("clusters"), undefined);
});

test("what has changed while a refusal was on its way is sent then, and each newest once", () => {
  const proxy = talk({ clusters: "a=1" });
  const { conversation } = proxy;
  const refuseAfter = (meanwhile: string): void => {
    const sent = conversation.next() ?? assert.fail("nothing is sent");
    conversation.set(resources({ clusters: meanwhile }));
    conversation.answer(sent.type, sent.nonce, "no");
  };
  conversation.set(resources({ clusters: "a=2" }));
  refuseAfter("a=3");
  assert.equal(proxy.refuse(), "clusters a=3");
  assert.deepEqual(proxy.rest(), []);
  conversation.set(resources({ clusters: "a=4" }));
  refuseAfter("a=1");
  assert.deepEqual(proxy.rest(), ["clusters a=1"]);
});

test("who refuses what it asked for is led on to what waits for it", () => {
  const proxy = talk({ endpoints: "a=1 b=1" }).ask("endpoints", "a");
  const { conversation } = proxy;
  conversation.set(resources({ endpoints: "a=2 b=1" }));
  const asked = conversation.take(typeOf("endpoints"), { ...NOTHING, subscribe: ["b"] });
  assert.equal(inWords(asked), "endpoints b=1");
  assert.equal(conversation.next(), undefined);
  conversation.answer(typeOf("endpoints"), asked?.nonce ?? "", "no");
  assert.deepEqual(proxy.rest(), ["endpoints a=2 b=1"]);
});

test("QK-69: a refused step of authorization is over once it is taken back, or the proxy asks for it no more", () => {
  for (const [unsubscribe, sent] of [
    [[], ["extensionConfigs rbac=1"]],
    [["rbac"], []],
  ] as const) {
    const encoded = new EncodedResources(encodeResource, silentLog);
    const proxy = new Talk(authorizationWay((_, next) => [next], encoded));
    const before = resources({ extensionConfigs: "rbac=1" });
    proxy.conversation.set(before);
    proxy.ask("extensionConfigs", "rbac");
    proxy.conversation.set(resources({ extensionConfigs: "rbac=2" }));
    assert.equal(proxy.refuse(), "extensionConfigs rbac=2");
    proxy.conversation.take(typeOf("extensionConfigs"), { ...NOTHING, unsubscribe });
    assert.equal(proxy.errorOf("extensionConfigs"), "no");
    proxy.conversation.set(before);
    assert.deepEqual(proxy.rest(), sent);
    assert.equal(proxy.errorOf("extensionConfigs"), undefined);
  }
});

test("names that a proxy refuses are counted among its names, so that they come to an end", () => {
  const { conversation } = talk({ clusters: "a=1" });
  const clusters = conversation.of(typeOf("clusters"));
  for (const name of ["x", "y", "z"]) {
    const asked = { subscribe: [name], unsubscribe: [name], held: {} };
    const response = conversation.take(typeOf("clusters"), asked);
    conversation.answer(typeOf("clusters"), response?.nonce ?? "", "no");
  }
  assert.equal(clusters.nameCount, 3);
});

test("changes while an answer is awaited are folded into the next response", () => {
  const { conversation } = talk({ clusters: "a=1" });
  conversation.set(resources({ clusters: "a=2" }));
  const first = conversation.next();
  conversation.set(resources({ clusters: "a=3" }));
  conversation.set(resources({ clusters: "a=4" }));
  assert.equal(conversation.next(), undefined);
  conversation.answer(typeOf("clusters"), first?.nonce ?? "", undefined);
  assert.equal(inWords(conversation.next()), "clusters a=4");
});

test("answers to what is long over change nothing", () => {
  const { conversation } = talk({ clusters: "a=1" });
  assert.equal(conversation.answer(typeOf("clusters"), "1", "late").verdict, "stale");
  assert.equal(conversation.of(typeOf("clusters")).error, undefined);
});

test("a proxy that asks without answering is found out", () => {
  const { conversation } = talk({ endpoints: "a=1" });
  for (let index = 0; index < 100; index++)
    conversation.take(typeOf("endpoints"), { ...NOTHING, subscribe: ["a"] });
  assert.ok(conversation.isOverrun);
});
