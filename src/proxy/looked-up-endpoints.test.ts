import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { outsideDestination } from "../../test/kit/outside-destination.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { ServiceEntryTerms } from "../policy/service-entry-terms.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { NameLookupError } from "./forbidden-addresses.ts";
import { LookedUpEndpoints } from "./looked-up-endpoints.ts";
import type { FoundAddresses } from "./name-lookup.ts";

/** Names of this view are looked up as `answers` say, one after the other; the last stays. */
function stage(...answers: readonly (FoundAddresses | "nobody")[]) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const log = recordedLog();
  let asked = 0;
  let changes = 0;
  const endpoints = new LookedUpEndpoints({
    lookUp: async (host) => {
      const answer = answers[Math.min(asked++, answers.length - 1)];
      if (answer === "nobody" || answer === undefined) throw new NameLookupError(`no "${host}"`);
      return answer;
    },
    log,
    changed: () => changes++,
  });
  const places = (view = viewOf("api.example")): readonly string[] =>
    endpoints
      .resolved(view)
      .outbound.destinations.flatMap((one) => one.endpoints)
      .map(({ address }) => `${address.address}:${address.port}`);
  return {
    endpoints,
    log,
    places,
    asked: () => asked,
    changes: () => changes,
    pass: async (ms: number): Promise<void> => {
      mock.timers.tick(ms);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    },
    close: (): void => {
      endpoints.close();
      mock.timers.reset();
    },
  };
}

function viewOf(host: string, resolution: ServiceEntryTerms["resolution"] = "DNS"): WorkloadView {
  const lookUp = [{ workload: host, host, port: 443, mutualTls: false }];
  const destination = outsideDestination({ serviceEntry: { resolution, lookUp } });
  return workloadView({ rootsPem: [], destinations: [destination] });
}

test("what is found are endpoints, until the name has others", async () => {
  const { places, pass, changes, close } = stage(
    { addresses: ["192.0.2.1", "192.0.2.2"], ttlMs: 60_000 },
    { addresses: ["192.0.2.3"] },
  );
  assert.deepEqual(places(), []);
  await pass(0);
  assert.deepEqual(places(), ["192.0.2.1:443", "192.0.2.2:443"]);
  await pass(59_000);
  assert.equal(changes(), 1);
  await pass(1_000);
  assert.deepEqual(places(), ["192.0.2.3:443"]);
  close();
});

test("a name that says it may be forgotten at once is asked for every five seconds", async () => {
  const { places, pass, asked, close } = stage({ addresses: ["192.0.2.1"], ttlMs: 0 });
  places();
  await pass(0);
  await pass(4_999);
  assert.equal(asked(), 1);
  await pass(1);
  assert.equal(asked(), 2);
  close();
});

test("while nobody answers, the last addresses stay; it is told once, and so is the end of it", async () => {
  const { places, pass, log, close } = stage(
    { addresses: ["192.0.2.1"], ttlMs: 5_000 },
    "nobody",
    "nobody",
    { addresses: ["192.0.2.1"] },
  );
  places();
  await pass(0);
  await pass(5_000);
  await pass(1_000);
  assert.deepEqual(places(), ["192.0.2.1:443"]);
  assert.equal(log.find("host not found").length, 1);
  await pass(2_000);
  assert.equal(log.find("host found again").length, 1);
  close();
});

test("a name that no view names any more is not asked for", async () => {
  const { places, pass, asked, close } = stage({ addresses: ["192.0.2.1"] });
  places();
  await pass(0);
  assert.deepEqual(places(workloadView({ rootsPem: [] })), []);
  await pass(300_000);
  assert.equal(asked(), 1);
  close();
});

test("DNS_ROUND_ROBIN: the first address alone serves new connections", async () => {
  const { places, pass, close } = stage({ addresses: ["192.0.2.1", "192.0.2.2"] });
  const view = viewOf("api.example", "DNS_ROUND_ROBIN");
  places(view);
  await pass(0);
  assert.deepEqual(places(view), ["192.0.2.1:443"]);
  close();
});

test("a namespace with many hosts, or slow ones, takes no place of others", async () => {
  const asked: string[] = [];
  const log = recordedLog();
  const endpoints = new LookedUpEndpoints({
    lookUp: (host) => {
      asked.push(host);
      return host.startsWith("evil") ? new Promise(() => {}) : Promise.resolve(ONE);
    },
    log,
    changed: () => {},
  });
  const of = (serviceNamespace: string, count: number) => {
    const hosts = Array.from(
      { length: count },
      (_, index) => `${serviceNamespace}${index}.example`,
    );
    const lookUp = hosts.map((host) => ({ workload: host, host, port: 1, mutualTls: false }));
    const serviceEntry = { resolution: "DNS", lookUp } as const;
    const host = `${serviceNamespace}.example`;
    return { ...outsideDestination({ host, serviceEntry }), serviceNamespace };
  };
  const before = workloadView({ rootsPem: [], destinations: [of("evil", 2_000)] });
  endpoints.resolved(before);
  const destinations = [of("evil", 2_000), of("shop", 3), of("production", 3)];
  const view = workloadView({ rootsPem: [], destinations });
  endpoints.resolved(view);
  await new Promise(setImmediate);
  const found = endpoints.resolved(view).outbound.destinations;
  assert.deepEqual(
    found.map((one) => one.endpoints.length),
    [0, 3, 3],
  );
  assert.ok(asked.filter((host) => host.startsWith("evil")).length < 20);
  assert.deepEqual(
    log.find("too many hosts to look up").map(({ fields }) => fields["left"]),
    [1_000, 1_006],
  );
  endpoints.close();
});

const ONE: FoundAddresses = { addresses: ["192.0.2.1"] };

test("a view without names is the same view", () => {
  const { endpoints, close } = stage();
  const view = workloadView({ rootsPem: [], destinations: [outsideDestination({ port: 1 })] });
  assert.equal(endpoints.resolved(view), view);
  close();
});
