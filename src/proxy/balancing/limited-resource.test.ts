import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { LimitedResource, Ticket } from "./limited-resource.ts";

test("what is taken is given back once", () => {
  const resource = new LimitedResource(1);
  const ticket = new Ticket();
  assert.equal(resource.take(ticket), "taken");
  assert.equal(resource.isExhausted, true);
  ticket.giveBack();
  ticket.giveBack();
  assert.deepEqual([resource.inUse, resource.isExhausted], [0, false]);
});

test("where none is left, nothing is taken", () => {
  const resource = new LimitedResource(1);
  resource.take(new Ticket());
  const late = new Ticket();
  assert.equal(resource.take(late), "overflow");
  late.giveBack();
  assert.deepEqual([resource.inUse, resource.isExhausted], [1, true]);
  resource.takeBeyondLimit(late);
  assert.deepEqual([resource.inUse, resource.isExhausted], [2, true]);
  late.giveBack();
  assert.equal(resource.inUse, 1);
});

test("a limit of 0 lets nobody in", () =>
  assert.equal(new LimitedResource(0).take(new Ticket()), "overflow"));

test("a ticket that goes on to another resource leaves the first one", () => {
  const [one, other] = [new LimitedResource(1), new LimitedResource(0)];
  const ticket = new Ticket();
  one.take(ticket);
  assert.equal(one.take(ticket), "taken");
  assert.equal(other.take(ticket), "overflow");
  assert.deepEqual([one.inUse, other.inUse], [0, 0]);
});

const step = fc.record({
  ticket: fc.nat(7),
  resource: fc.nat(2),
  what: fc.constantFrom("take", "take", "force", "give back", "limit"),
  limit: fc.nat(4),
});

test("whatever happens, a resource counts exactly the tickets that hold it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const resources = [0, 1, 2].map(() => new LimitedResource(2));
      const limits = [2, 2, 2];
      const tickets = Array.from({ length: 8 }, () => new Ticket());
      const held: (number | undefined)[] = tickets.map(() => undefined);
      const holders = (index: number): number => held.filter((one) => one === index).length;
      for (const { ticket: index, resource: which, what, limit } of steps) {
        const [ticket, resource] = [tickets[index], resources[which]];
        assert.ok(ticket && resource);
        if (what === "limit") {
          resource.limit = limits[which] = limit;
        } else {
          held[index] = undefined;
          const isFree = holders(which) < (limits[which] ?? 0);
          if (what === "take") {
            assert.equal(resource.take(ticket), isFree ? "taken" : "overflow");
            if (isFree) held[index] = which;
          } else if (what === "force") {
            resource.takeBeyondLimit(ticket);
            held[index] = which;
          } else ticket.giveBack();
        }
        for (const [place, one] of resources.entries()) assert.equal(one.inUse, holders(place));
      }
      for (const ticket of tickets) ticket.giveBack();
      assert.ok(resources.every(({ inUse }) => inUse === 0));
    }),
  );
});

test("circuit breakers: each limit for itself; others later keep what is in use", () => {
  const limits = { maxConnections: 1, maxPendingRequests: 2, maxRequests: 3, maxRetries: 4 };
  const breaker = new CircuitBreaker(limits);
  const fill = (resource: LimitedResource): number => {
    let taken = 0;
    while (resource.take(new Ticket()) === "taken") taken++;
    return taken;
  };
  const all = [breaker.connections, breaker.pendingRequests, breaker.requests, breaker.retries];
  assert.deepEqual(all.map(fill), [1, 2, 3, 4]);
  breaker.configure({ maxConnections: 2, maxPendingRequests: 1, maxRequests: 3, maxRetries: 9 });
  assert.deepEqual(all.map(fill), [1, 0, 0, 5]);
  assert.deepEqual(
    all.map(({ inUse }) => inUse),
    [2, 2, 3, 9],
  );
});
