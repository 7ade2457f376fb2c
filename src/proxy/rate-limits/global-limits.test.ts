/** Global limits of sidecars, by a clock that the tests move and a service that counts in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { globalRateLimit } from "../../../test/kit/global-rate-limit.ts";
import { recordedLog } from "../../../test/kit/recorded-log.ts";
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import { MemoryCounters } from "../../rate-limit-service/memory-counters.ts";
import { GrpcStatusError } from "../../wire/grpc-status.ts";
import type { RateLimitQuestion, RateLimitStatus } from "../../wire/rate-limit-call.ts";
import { ADVANCE_MS, MAX_REFUSED_MS } from "./global-bucket.ts";
import type { GlobalAnswer, GlobalQuestion } from "./global-limiter.ts";
import { GlobalLimits } from "./global-limits.ts";
import { MAX_FAILED, MAX_WAITING, PROBE_MS } from "./global-questions.ts";

/** All sidecars of a test ask it. */
class Service {
  now = 0;
  readonly asked: RateLimitQuestion[] = [];
  state: "answers" | "is away" | "is late" | "says nothing" = "answers";
  readonly #counters = new MemoryCounters(() => this.now);
  readonly #limits: readonly AppliedRateLimit[];

  constructor(...limits: readonly AppliedRateLimit[]) {
    this.#limits = limits;
  }

  readonly ask = async (question: RateLimitQuestion): Promise<readonly RateLimitStatus[]> => {
    this.asked.push(question);
    if (this.state === "is away") throw new Error("away");
    if (this.state === "is late") throw new GrpcStatusError("DEADLINE_EXCEEDED", "late");
    if (this.state === "says nothing") return new Promise(() => {});
    return Promise.all(question.descriptors.map((entries) => this.#count(entries, question.hits)));
  };

  async #count(
    entries: readonly (readonly [string, string])[],
    hits: number,
  ): Promise<RateLimitStatus> {
    const [name = "", key = "", identity = ""] = entries.map(([, value]) => value);
    const limit = this.#limits.find((one) => name.endsWith(`/${one.name}`));
    if (limit === undefined)
      return { code: "unlimited", remaining: 0, resetMs: 0, given: undefined };
    const { amount, perMs, burst, fair } = limit;
    const taken = await this.#counters.take({
      ...{ limit: name, key, identity, fair, hits, burst, rate: amount / perMs },
      advance: "welcome",
    });
    const code = taken.granted < hits ? "over" : "ok";
    const given = taken.granted + taken.advance;
    return { code, remaining: taken.remaining, resetMs: taken.waitMs, given };
  }
}

function sidecar(service: Service, ...limits: readonly AppliedRateLimit[]) {
  const log = recordedLog();
  const now = (): number => service.now;
  const limiter = new GlobalLimits({ ask: service.ask, domain: () => "cluster.local", log, now });
  limiter.use(limits);
  return { limiter, log };
}

const about = (limit: AppliedRateLimit, key = "", principal = ""): GlobalQuestion[] => [
  { limit, key, principal },
];
const verdicts = (answers: readonly GlobalAnswer[]): string =>
  answers.map(({ verdict }) => verdict).join(" ");

const limit = globalRateLimit();
const small = globalRateLimit({ name: "small", amount: 10, burst: 10 });

test("requests of one turn ask one question, and some tokens come in advance", async () => {
  const service = new Service(limit);
  const { limiter } = sidecar(service, limit);
  const answers = await Promise.all(Array.from({ length: 40 }, () => limiter.ask(about(limit))));
  assert.ok(answers.every((one) => verdicts(one) === "room"));
  assert.deepEqual(
    service.asked.map(({ hits }) => hits),
    [40],
  );
  const known = limiter.ask(about(limit));
  assert.ok(!(known instanceof Promise), "3 were given in advance");
  assert.equal(service.asked.length, 1);
});

test("tokens given in advance are worth nothing a while later", async () => {
  const service = new Service(limit);
  const { limiter } = sidecar(service, limit);
  await limiter.ask(about(limit));
  service.now += ADVANCE_MS - 1;
  assert.ok(!(limiter.ask(about(limit)) instanceof Promise));
  service.now += 1;
  assert.ok(limiter.ask(about(limit)) instanceof Promise);
});

test("whoever finds no room is refused without a question until there is some", async () => {
  const service = new Service(small);
  const { limiter } = sidecar(service, small);
  const answers = await Promise.all(Array.from({ length: 12 }, () => limiter.ask(about(small))));
  assert.equal(answers.filter((one) => verdicts(one) === "room").length, 10);
  assert.deepEqual(answers[11], [{ verdict: "over", left: 0, retryAfterMs: 100 }]);
  for (; service.now < 100; service.now += 10) {
    const refused = limiter.ask(about(small));
    assert.deepEqual(refused, [{ verdict: "over", left: 0, retryAfterMs: 100 - service.now }]);
  }
  assert.equal(service.asked.length, 1);
  assert.equal(verdicts(await limiter.ask(about(small))), "room");
});

test("however long it takes, nobody is refused for longer than a second without a question", async () => {
  const daily = globalRateLimit({ name: "daily", amount: 1, burst: 1, perMs: 86_400_000 });
  const service = new Service(daily);
  const { limiter } = sidecar(service, daily);
  await limiter.ask(about(daily));
  assert.equal(verdicts(await limiter.ask(about(daily))), "over");
  service.now += MAX_REFUSED_MS;
  const [answer] = await limiter.ask(about(daily));
  assert.equal(service.asked.length, 3);
  assert.deepEqual(answer, { verdict: "over", left: 0, retryAfterMs: 86_399_000 });
});

test("four sidecars let through 100 a second together, exactly, with fewer questions than requests", async () => {
  const service = new Service(limit);
  const sidecars = [1, 2, 3, 4].map(() => sidecar(service, limit));
  let passed = 0;
  for (; service.now < 10_000; service.now += 5) {
    for (const { limiter } of sidecars)
      void Promise.resolve(limiter.ask(about(limit))).then((answers) => {
        if (verdicts(answers) === "room") passed++;
      });
    await turn();
  }
  assert.ok(passed >= 1_050 && passed <= 1_101, `${passed} of 8,000`);
  assert.ok(service.asked.length < 5_400, `${service.asked.length} questions`);
});

test("one greedy identity at 20 times its share, over four sidecars, leaves the others 95 % of theirs", async () => {
  const fair = globalRateLimit({ fair: true });
  const service = new Service(fair);
  const sidecars = [1, 2, 3, 4].map(() => sidecar(service, fair));
  const passed = new Map<string, number>();
  const call = (place: number, principal: string): void => {
    void Promise.resolve(sidecars[place % 4]?.limiter.ask(about(fair, "", principal))).then(
      (answers = []) => {
        if (verdicts(answers) === "room") passed.set(principal, (passed.get(principal) ?? 0) + 1);
      },
    );
  };
  for (let step = 0; step < 15_000; step++) {
    service.now = step * 2;
    call(step, "greedy");
    if (step % 20 === 0) for (const modest of ["a", "b", "c"]) call(step / 20, modest);
    await turn();
  }
  for (const modest of ["a", "b", "c"])
    assert.ok((passed.get(modest) ?? 0) >= 0.95 * 750, JSON.stringify([...passed]));
  const total = [...passed.values()].reduce((sum, one) => sum + one, 0);
  assert.ok(total <= 3_101, `${total}`);
});

test("of two limits both count a request, or neither", async () => {
  const service = new Service(limit, small);
  const { limiter } = sidecar(service, limit, small);
  const both = [...about(limit), ...about(small)];
  const answers = await Promise.all(Array.from({ length: 15 }, () => limiter.ask(both)));
  assert.equal(answers.filter((one) => verdicts(one) === "room room").length, 10);
  assert.equal(answers.filter((one) => verdicts(one) === "room over").length, 5);
  const spent: readonly GlobalAnswer[] = await limiter.ask(about(limit));
  assert.equal(spent[0]?.left, 89, "100, less the 10 that passed, less this one");
});

test("a shadow stands in nobody's way", async () => {
  const shadow = globalRateLimit({ name: "shadow", mode: "Shadow", amount: 1, burst: 1 });
  const service = new Service(limit, shadow);
  const { limiter } = sidecar(service, limit, shadow);
  const both = [...about(limit), ...about(shadow)];
  for (const expected of ["room room", "room over", "room over"])
    assert.equal(verdicts(await limiter.ask(both)), expected);
  const spent: readonly GlobalAnswer[] = await limiter.ask(about(limit));
  assert.equal(spent[0]?.left, 96);
});

test("what is given back is there for the next one", async () => {
  const service = new Service(small);
  const { limiter } = sidecar(service, small);
  await Promise.all(Array.from({ length: 10 }, () => limiter.ask(about(small))));
  assert.equal(verdicts(await limiter.ask(about(small))), "over");
  limiter.giveBack(about(small));
  assert.equal(verdicts(await limiter.ask(about(small))), "room");
  assert.equal(verdicts(await limiter.ask(about(small))), "over");
});

test("buckets that are asked about in one turn share a question", async () => {
  const service = new Service(small);
  const { limiter } = sidecar(service, small);
  const keys = Array.from({ length: 100 }, (_, user) => `user ${user}`);
  await Promise.all(keys.map((key) => limiter.ask(about(small, key))));
  assert.deepEqual(
    service.asked.map(({ descriptors }) => descriptors.length),
    [64, 36],
  );
  const told = JSON.stringify(service.asked);
  assert.ok(!told.includes("user 7"), "what requests say stays here");
});

test("while the service is away nobody waits, and one question now and then finds out", async () => {
  const service = new Service(limit);
  const { limiter, log } = sidecar(service, limit);
  service.state = "is away";
  for (let failed = 0; failed < MAX_FAILED; failed++)
    assert.equal(verdicts(await limiter.ask(about(limit))), "unavailable");
  for (let step = 1; step < PROBE_MS; step++) {
    service.now++;
    assert.deepEqual(limiter.ask(about(limit)), [
      { verdict: "unavailable", left: 0, retryAfterMs: 0 },
    ]);
  }
  assert.equal(service.asked.length, MAX_FAILED);
  service.state = "answers";
  service.now++;
  assert.ok(!(limiter.ask(about(limit)) instanceof Promise), "a probe holds nobody up");
  await turn();
  assert.equal(verdicts(await limiter.ask(about(limit))), "room");
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ["the rate limit service is away", "the rate limit service is back"],
  );
});

test("one question without an answer is no outage: those that wait for it are alone; three in a row are", async () => {
  const service = new Service(limit);
  const { limiter, log } = sidecar(service, limit);
  const askWhile = async (state: Service["state"]): Promise<string> => {
    service.state = state;
    service.now += 2 * ADVANCE_MS;
    return verdicts(await limiter.ask(about(limit)));
  };
  for (const state of ["is late", "is away", "answers", "is away", "is late"] as const)
    assert.equal(await askWhile(state), state === "answers" ? "room" : "unavailable");
  assert.deepEqual(log.lines, []);
  assert.equal(await askWhile("answers"), "room");
  for (let late = 0; late < 3; late++) assert.equal(await askWhile("is late"), "unavailable");
  assert.ok(!(limiter.ask(about(limit)) instanceof Promise), "nobody waits from now on");
  assert.equal(log.find("the rate limit service is away").length, 1);
});

test("those that wait when a question fails hear so with it", async () => {
  const service = new Service(limit);
  const { limiter } = sidecar(service, limit);
  service.state = "is away";
  const first = limiter.ask(about(limit));
  const others = ["a", "b"].map((key) => limiter.ask(about(limit, key)));
  const answers = await Promise.all([first, ...others]);
  assert.ok(answers.every((one) => verdicts(one) === "unavailable"));
});

test("more than so many do not wait", () => {
  const service = new Service(limit);
  service.state = "says nothing";
  const { limiter } = sidecar(service, limit);
  for (let one = 0; one < MAX_WAITING; one++)
    assert.ok(limiter.ask(about(limit)) instanceof Promise);
  assert.ok(!(limiter.ask(about(limit)) instanceof Promise));
});

test("a limit that the service does not know lets everything through, and is told of once", async () => {
  const service = new Service();
  const { limiter, log } = sidecar(service, limit);
  for (let time = 0; time < 3; time++)
    assert.equal(verdicts(await limiter.ask(about(limit))), "unknown");
  const told = log.find("the rate limit service knows no such limit");
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [{ limit: "shop/checkout/all" }],
  );
});

test("what was known of a limit stays with a view that says the same of it", async () => {
  const service = new Service(limit);
  const { limiter } = sidecar(service, limit);
  await limiter.ask(about(limit));
  const [same, other] = [globalRateLimit(), globalRateLimit({ amount: 50 })];
  limiter.use([same]);
  assert.ok(!(limiter.ask(about(same)) instanceof Promise));
  limiter.use([other]);
  assert.ok(limiter.ask(about(other)) instanceof Promise);
});

test("a closed one answers that nobody counts", async () => {
  const service = new Service(limit);
  const { limiter } = sidecar(service, limit);
  limiter.close();
  assert.equal(verdicts(await limiter.ask(about(limit))), "unavailable");
});
