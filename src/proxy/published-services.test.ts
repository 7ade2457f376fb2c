import assert from "node:assert/strict";
import { test } from "node:test";
import { destination } from "../../test/kit/sidecar-fixture.ts";
import type { Destination } from "../policy/workload-view.ts";
import { PublishedServices } from "./published-services.ts";

const API = "production/api:8080";

function api(...ports: readonly number[]): Destination {
  const one = destination({ name: "api", port: 0 });
  const endpoints = ports.flatMap((port) => destination({ name: "api", port }).endpoints);
  return { ...one, endpoints };
}

function published(...ports: readonly number[]): PublishedServices {
  const services = new PublishedServices(() => 0);
  services.update([api(...ports)]);
  return services;
}

const tries = (services: PublishedServices, most = 3): number[] =>
  [...(services.find(API)?.tries(most) ?? [])].map(({ port }) => port);

test("each endpoint in turn is the first, and each is tried once", () => {
  const services = published(1, 2);
  assert.deepEqual([tries(services, 1), tries(services, 1)], [[2], [1]]);
  assert.deepEqual(tries(services), [2, 1]);
  assert.deepEqual(tries(published(1, 2, 3, 4)), [2, 3, 4]);
});

test("two connections that are made at once try every endpoint each", () => {
  const service = published(1, 2).find(API);
  const [one, other] = [service?.tries(2), service?.tries(2)];
  const seen = [one, other, one, other].map((tried) => tried?.next().value?.port);
  assert.deepEqual(seen, [2, 1, 1, 2]);
});

test("a service without endpoints has nobody to try; one that is not published is not known", () => {
  assert.deepEqual(tries(published()), []);
  assert.equal(published(1).find("production/other:8080"), undefined);
});

test("turns go on over what changes, and what is gone is gone", () => {
  const services = published(1, 2);
  assert.deepEqual(tries(services, 1), [2]);
  services.update([api(1, 2, 3)]);
  assert.deepEqual(tries(services, 1), [3]);
  services.update([api(1)]);
  assert.deepEqual(tries(services), [1]);
  services.update([]);
  assert.equal(services.find(API), undefined);
});
