import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import { sampleView } from "../../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { parseSpiffeId } from "../../identity/spiffe-id.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { silentLog } from "../../runtime/log.ts";
import type { ProxyNode } from "../../wire/envoy/discovery-messages.ts";
import type { EncodedResource } from "../../wire/envoy/encode-resource.ts";
import { openProxyMaterial } from "./proxy-material.ts";
import { KnownSettings } from "./proxy-node.ts";
import type { ProxyProtocol } from "./proxy-protocol.ts";
import { ProxyStream } from "./proxy-stream.ts";
import { proxyWarnings } from "./proxy-warnings.ts";
import { RESOURCE_TYPES } from "./resource-types.ts";
import { plainResponse } from "./response-packing.ts";

const ID = parseSpiffeId("spiffe://cluster.local/ns/production/sa/api");
const NODE_ID = "sidecar~10.0.0.1~api-0.production~production.svc.cluster.local";
const { rootPem } = createThrowawayAuthority();

const viewOf = (path: string): WorkloadView =>
  sampleView({ name: "production/api-0", identity: ID, rootPem, path });

let nextName = 0;

/**
 * Messages are their type and nonce, and how many new names they ask for, and how long ones, or one by name:
 * `listeners 2 100`, `listeners 2 100 2000`.
 */
function protocolOf(metadata: ProxyNode["metadata"], sent: EncodedResource[]): ProxyProtocol {
  return {
    late: "heard",
    read: (bytes) => {
      const [kind, nonce = "", names = "0", length = "0"] = Buffer.from(bytes)
        .toString()
        .split(" ");
      const type = RESOURCE_TYPES.find((one) => one.kind === kind) ?? assert.fail(kind);
      const node = { id: NODE_ID, version: "1.40.0", metadata };
      const subscribe = /^\d+$/.test(names)
        ? Array.from({ length: Number(names) }, () =>
            `name-${nextName++}`.padEnd(Number(length), "-"),
          )
        : [names];
      return { type, nonce, node, asked: () => ({ subscribe, unsubscribe: [], held: {} }) };
    },
    write: ({ type, nonce, changed }) => {
      sent.push(...changed);
      return { resources: [], rest: Buffer.from(`${type.kind} ${nonce}`) };
    },
  };
}

interface StreamSetting {
  readonly flushed?: () => Promise<void>;
  readonly metadata?: ProxyNode["metadata"];
}

/** A stream without a connection, of a proxy that takes whatever it is sent. */
function openStream(
  views: { current: WorkloadView },
  { flushed = async () => {}, metadata = {} }: StreamSetting = {},
) {
  const sent: EncodedResource[] = [];
  const material = openProxyMaterial(silentLog);
  const gone = new AbortController();
  const incoming: Uint8Array[] = [];
  let arrived = (): void => {};
  const told: string[] = [];
  const made: WorkloadView[] = [];
  const say = (message: string): void => {
    incoming.push(Buffer.from(message));
    arrived();
  };
  const stream = new ProxyStream({
    caller: {
      id: ID,
      by: "certificate",
      pod: { namespace: "production", podName: "api-0", podUid: "1", serviceAccount: "api" },
    },
    stream: {
      caller: { remoteAddress: "127.0.0.1:1", headers: () => [] },
      requests: requestsOf(),
      signal: gone.signal,
      send: (bytes) => {
        const message = Buffer.from(bytes).toString();
        told.push(message.replace(/ .*/, ""));
        say(message);
      },
      flushed,
    },
    protocol: protocolOf(metadata, sent),
    pack: plainResponse,
    settings: new KnownSettings(),
    viewOf: () => views.current,
    resourcesOf: (view, proxy) => {
      made.push(view);
      return material.resourcesOf(view, proxy);
    },
    authorizedBy: material.authorizedBy,
    endpointsOf: material.endpointsOf,
    authorizationWay: material.authorizationWay,
    awaitTurn: async () => {},
    onSettled: () => {},
    warnings: proxyWarnings(silentLog),
  });
  const served = stream.serve();
  async function* requestsOf(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = incoming.shift();
      if (next !== undefined) yield next;
      else if (gone.signal.aborted) return;
      else
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
    }
  }
  const close = async (): Promise<void> => {
    gone.abort();
    arrived();
    await served;
  };
  return { stream, served, say, told, sent, made, close };
}

test("what a change comes to is made when it is the proxy's turn, not when the proxy says something", async () => {
  const views = { current: viewOf("/one") };
  const first = views.current;
  const { stream, say, told, made, close } = openStream(views);
  say("clusters");
  await eventually("clusters", () => told.join() === "clusters");
  views.current = viewOf("/two");
  say("listeners");
  await eventually("listeners", () => told.join() === "clusters,listeners");
  assert.deepEqual(made, [first]);
  assert.ok(stream.isBehind);
  stream.push();
  assert.deepEqual(made, [first, views.current]);
  await eventually("those of the change", () => told.join() === "clusters,listeners,listeners");
  await close();
});

test("who takes nothing of what it was sent is not heard, whatever it says it took", async () => {
  let take = (): void => {};
  const taken = new Promise<void>((resolve) => {
    take = resolve;
  });
  const { say, told, close } = openStream({ current: viewOf("/one") }, { flushed: () => taken });
  say("clusters");
  say("clusters 1 5");
  say("clusters 2 5");
  await eventually("the first is answered", () => told.length === 1);
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  assert.equal(told.length, 1);
  take();
  await eventually("the others are", () => told.length === 3);
  await close();
});

test("names add up to so many and no more", async () => {
  const { say, told, served } = openStream({ current: viewOf("/one") });
  const ended = assert.rejects(served, /at most 65536 names of one type/);
  say("clusters");
  await eventually("all of them", () => told.length === 1);
  say("clusters  40000");
  await eventually("the names are answered", () => told.length === 2);
  say("clusters  40000");
  await ended;
});

test("a name has so many characters and no more", async () => {
  const { say, told, served } = openStream({ current: viewOf("/one") });
  const ended = assert.rejects(served, /a name: at most 2048 characters/);
  say(`endpoints  ${"x".repeat(2_048)}`);
  await eventually("it is answered", () => told.length === 1);
  say(`endpoints  ${"y".repeat(2_049)}`);
  await ended;
});

test("characters of names add up over all types, wherever they are kept", async () => {
  const { say, told, served } = openStream({ current: viewOf("/one") });
  const ended = assert.rejects(served, /names: at most 4194304 characters in all/);
  for (const [index, type] of ["endpoints", "routes"].entries()) {
    say(`${type}  1000 2000`);
    await eventually("they are answered", () => told.length === index + 1);
  }
  say("clusters  100 2000");
  await ended;
});

const CALLED = "outbound|5432||database.production.svc.cluster.local";

/** What it calls is at these addresses. */
function callingAt(...addresses: readonly string[]): WorkloadView {
  const view = viewOf("/one");
  const endpoints = addresses.map((address) => {
    return { workload: address, address: { address, port: 20_004 }, mutualTls: true };
  });
  const destinations = view.outbound.destinations.map((one) => ({ ...one, endpoints }));
  return { ...view, outbound: { ...view.outbound, destinations } };
}

for (const [proxy, metadata, early] of [
  ["a proxy", {}, [CALLED]],
  ["one on a machine without IPv6", { HAUBERK: { ipv6: "absent" } }, []],
] as const) {
  test(`what ${proxy} is told of endpoints ahead of the rest is what the rest comes to`, async () => {
    const views = { current: callingAt("127.0.0.1") };
    const { stream, say, sent, close } = openStream(views, { metadata });
    say(`endpoints  ${CALLED}`);
    await eventually("the first", () => sent.length === 1);
    views.current = callingAt("127.0.0.2", "fd00::2");
    stream.pushFirst();
    assert.deepEqual(
      sent.slice(1).map(({ name }) => name),
      early,
    );
    stream.push();
    await eventually("the rest", () => !stream.isBehind && sent.length > 1);
    assert.equal(sent.length, 2);
    const told = Buffer.from(sent[1]?.inDelta ?? []);
    assert.ok(told.includes("127.0.0.2"));
    assert.equal(told.includes("fd00::2"), early.length > 0);
    await close();
  });
}

test("a stream that is over is told nothing, and nothing is made for it", async () => {
  const views = { current: viewOf("/one") };
  const { stream, say, told, made, close } = openStream(views);
  say("listeners");
  await eventually("listeners", () => told.length === 1);
  await close();
  views.current = viewOf("/two");
  stream.pushFirst();
  stream.push();
  assert.equal(told.length, 1);
  assert.equal(made.length, 1);
});
