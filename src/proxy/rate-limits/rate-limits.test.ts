import assert from "node:assert/strict";
import { test } from "node:test";
import { appliedRateLimit } from "../../../test/kit/applied-rate-limit.ts";
import { parseSpiffeId } from "../../identity/spiffe-id.ts";
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import type { Connection } from "../../policy/traffic.ts";
import type { Answer } from "../exchange.ts";
import { HeldFields } from "../http/held-fields.ts";
import { isWaiting, settled } from "../waiting-steps.ts";
import type { GlobalAnswer, GlobalLimiter, GlobalQuestion } from "./global-limiter.ts";
import { KnownLimits } from "./known-limits.ts";
import { type LimitedRequest, RateLimits } from "./rate-limits.ts";

const trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.3",
} as const;

function connectionOf(account: string): Connection {
  return {
    principal: parseSpiffeId(`spiffe://cluster.local/ns/shop/sa/${account}`),
    sourceAddress: "10.0.0.7",
    sourcePort: 1,
    destinationAddress: "10.0.0.8",
    destinationPort: 8080,
  };
}

const web = connectionOf("web");
const batch = connectionOf("batch");

function request(changes: Partial<LimitedRequest> = {}): LimitedRequest {
  return {
    connection: web,
    method: "GET",
    path: "/",
    authority: "api",
    remoteAddress: "10.0.0.7",
    decision: { verdict: "allow", reason: { because: "no-allow-policy" } },
    header: () => undefined,
    ...changes,
  };
}

interface Stage {
  /** Milliseconds. */
  now: number;
  readonly known: KnownLimits;
  /** "continue", or the status. */
  readonly admit: (asked?: LimitedRequest) => Promise<"continue" | number>;
  readonly answer: (asked?: LimitedRequest) => Promise<Answer>;
  /** A newer view. */
  readonly use: (...limits: AppliedRateLimit[]) => void;
}

function stage(...limits: AppliedRateLimit[]): Stage {
  const known = new KnownLimits({ now: () => built.now });
  let rateLimits = RateLimits.of(limits, { known, trust });
  const result = async (asked: LimitedRequest): Promise<Answer | "continue" | "reset"> => {
    const found = rateLimits?.admit(asked) ?? "continue";
    return isWaiting(found) ? settled(found) : found;
  };
  const built: Stage = {
    now: 1_000,
    known,
    admit: async (asked = request()) => {
      const found = await result(asked);
      return typeof found === "string" ? "continue" : found.status;
    },
    answer: async (asked = request()) => {
      const found = await result(asked);
      assert.ok(typeof found !== "string");
      return found;
    },
    use: (...next) => {
      rateLimits = RateLimits.of(next, { known, trust });
      known.retainOnly(next);
    },
  };
  return built;
}

async function countPassed(
  count: number,
  one: () => Promise<"continue" | number>,
): Promise<number> {
  let passed = 0;
  for (let index = 0; index < count; index++) if ((await one()) === "continue") passed++;
  return passed;
}

test("where nothing limits requests there is no step", () => {
  const known = new KnownLimits();
  assert.equal(RateLimits.of([], { known, trust }), undefined);
  const connections = appliedRateLimit({ counts: "connections" });
  assert.equal(RateLimits.of([connections], { known, trust }), undefined);
});

test("what there is no room for is refused as Envoy refuses it, and says when there is", async () => {
  const one = stage(appliedRateLimit({ perMs: 60_000, key: ["source.principal"] }));
  assert.equal(await countPassed(2, () => one.admit()), 2);
  const refused = request();
  assert.deepEqual(await one.answer(refused), {
    status: 429,
    body: "local_rate_limited",
    headers: [
      ...["ratelimit-policy", '"all";q=2;w=60'],
      ...["ratelimit", '"all";r=0;t=30'],
      ...["retry-after", "30"],
    ],
    grpcStatus: 8,
    flags: "RL",
    details: "local_rate_limited",
  });
  assert.deepEqual(refused.decision, {
    verdict: "deny",
    reason: {
      because: "rate-limited",
      limit: "production/limits/all",
      origin: {
        ref: { kind: "RateLimit", namespace: "production", name: "limits" },
        source: { file: "limits.yaml", line: 7 },
      },
      scope: "Local",
      counts: "requests",
      amount: 2,
      perMs: 60_000,
      key: [{ name: "source.principal", value: "cluster.local/ns/shop/sa/web" }],
      left: 0,
      retryAfterMs: 30_000,
    },
  });
  assert.equal(await one.admit(request({ connection: batch })), "continue");
  one.now += 30_000;
  assert.equal(await one.admit(), "continue");
  assert.deepEqual(one.known.tallies(), [
    {
      limit: "production/limits/all",
      passed: 4,
      refused: 1,
      wouldRefuse: 0,
      unavailable: 0,
      unknown: 0,
      forgotten: 0,
    },
  ]);
});

test("a limit without headers says only when to come again", async () => {
  const one = stage(appliedRateLimit({ amount: 1, burst: 1, headers: "Never" }));
  await one.admit();
  assert.deepEqual((await one.answer()).headers, ["retry-after", "1"]);
});

test("only what matches is counted: by method, path template and caller", async () => {
  const match = [
    {
      line: 1,
      from: [{ principals: ["cluster.local/ns/shop/sa/web"] }],
      to: [{ methods: ["POST"], paths: ["/orders/{*}"] }],
      when: [],
    },
  ];
  const one = stage(appliedRateLimit({ amount: 1, burst: 1, match }));
  const counted = { method: "POST", path: "/orders/7?x" };
  assert.equal(await one.admit(request(counted)), "continue");
  assert.equal(await one.admit(request(counted)), 429);
  for (const apart of [
    { ...counted, method: "GET" },
    { ...counted, path: "/orders/7/8" },
    { ...counted, connection: batch },
  ]) {
    assert.equal(await countPassed(3, () => one.admit(request(apart))), 3);
  }
});

test("what one limit refuses spends nothing of another", async () => {
  const small = appliedRateLimit({ name: "small", amount: 1, burst: 1 });
  for (const order of [
    [small, appliedRateLimit({ name: "large", amount: 3, burst: 3 })],
    [appliedRateLimit({ name: "large", amount: 3, burst: 3 }), small],
  ]) {
    const one = stage(...order);
    assert.equal(await countPassed(10, () => one.admit()), 1);
    one.use(order.find(({ name }) => name === "large") ?? small);
    assert.equal(await countPassed(10, () => one.admit()), 2);
  }
});

test("a limit on trial refuses nobody, counts as if it did, and is told of in the decision", async () => {
  const trial = appliedRateLimit({ name: "trial", amount: 1, burst: 1, mode: "Shadow" });
  const one = stage(trial, appliedRateLimit({ amount: 3, burst: 3 }));
  const asked = [request(), request(), request(), request()];
  const found = [];
  for (const each of asked) found.push(await one.admit(each));
  assert.deepEqual(found, ["continue", "continue", "continue", 429]);
  assert.deepEqual(
    asked.map(({ decision }) => decision?.shadowLimits?.map(({ limit }) => limit)),
    [undefined, ["production/limits/trial"], ["production/limits/trial"], undefined],
  );
  const [tally] = one.known.tallies();
  assert.deepEqual([tally?.passed, tally?.refused, tally?.wouldRefuse], [1, 0, 2]);
});

test("a limit that stays as it is goes on where it was, also from trial to force; another begins anew", async () => {
  const one = stage(appliedRateLimit({ mode: "Shadow" }));
  assert.equal(await countPassed(2, () => one.admit()), 2);
  one.use(appliedRateLimit({ headers: "Always" }), appliedRateLimit({ name: "new", amount: 9 }));
  assert.equal(await one.admit(), 429);
  one.use(appliedRateLimit({ amount: 3 }));
  assert.equal(await countPassed(9, () => one.admit()), 3);
  one.use();
  one.use(appliedRateLimit({ amount: 3 }));
  assert.equal(await countPassed(9, () => one.admit()), 3, "it was taken away meanwhile");
});

test("answers tell what is left where a limit asks for it", async () => {
  const one = stage(
    appliedRateLimit({ name: "told", amount: 10, perMs: 1_500, headers: "Always" }),
    appliedRateLimit({ name: "untold", amount: 10 }),
  );
  const asked = request();
  assert.equal(await one.admit(asked), "continue");
  const fields = HeldFields.borrow();
  asked.changeAnswer?.(fields);
  assert.equal(fields.get("ratelimit-policy"), '"told";q=10');
  assert.equal(fields.get("ratelimit"), '"told";r=9;t=1');
  fields.release();
});

/** What the caller hears of limits with the application's answer. */
function toldIn({ changeAnswer }: LimitedRequest): string | undefined {
  const fields = HeldFields.borrow();
  changeAnswer?.(fields);
  const told = fields.get("ratelimit");
  fields.release();
  return told;
}

test("of four processes each lets a fourth through, and one at least", async () => {
  const known = new KnownLimits({ processes: 4, now: () => 0 });
  const limits = [appliedRateLimit({ amount: 8, burst: 8 })];
  const rateLimits = RateLimits.of(limits, { known, trust });
  const found = Array.from({ length: 8 }, () => rateLimits?.admit(request()));
  assert.equal(found.filter((one) => one === "continue").length, 2);
});

test("fair: a greedy identity at twenty times its share leaves the others theirs", async () => {
  const one = stage(appliedRateLimit({ amount: 100, fair: true }));
  const counts = new Map<Connection, number>();
  const modest = ["a", "b", "c", "d"].map(connectionOf);
  const count = async (connection: Connection): Promise<void> => {
    if ((await one.admit(request({ connection }))) === "continue")
      counts.set(connection, (counts.get(connection) ?? 0) + 1);
  };
  for (let tick = 0; tick < 4_000; tick++) {
    one.now += 2.5;
    await count(web); // 400 a second
    if (tick % 20 === 0) for (const each of modest) await count(each); // 20 a second each
  }
  for (const each of modest)
    assert.ok((counts.get(each) ?? 0) >= 190, `${counts.get(each)} of 200`);
  const total = [...counts.values()].reduce((sum, each) => sum + each, 0);
  assert.ok(total <= 1_105, `${total} in 10 s`);
});

/** Answers in turn; "later" ones as promises. */
function globalLimiter(
  answers: readonly (GlobalAnswer["verdict"] | "later room" | "later over")[],
): GlobalLimiter & { readonly asked: GlobalQuestion[][]; readonly givenBack: GlobalQuestion[][] } {
  const asked: GlobalQuestion[][] = [];
  const givenBack: GlobalQuestion[][] = [];
  let next = 0;
  return {
    asked,
    givenBack,
    ask(questions) {
      asked.push([...questions]);
      let isLater = false;
      const found = questions.map((): GlobalAnswer => {
        const [verdict, later] = VERDICTS[answers[next++] ?? "room"];
        isLater ||= later;
        return {
          verdict,
          left: verdict === "room" ? 5 : 0,
          retryAfterMs: verdict === "over" ? 250 : 0,
        };
      });
      return isLater ? Promise.resolve(found) : found;
    },
    giveBack: (questions) => givenBack.push([...questions]),
    use: () => {},
    close: () => {},
  };
}

const VERDICTS = {
  room: ["room", false],
  over: ["over", false],
  unavailable: ["unavailable", false],
  unknown: ["unknown", false],
  "later room": ["room", true],
  "later over": ["over", true],
} as const satisfies Record<string, readonly [GlobalAnswer["verdict"], boolean]>;

test("a global limit is asked about with its key; what it refuses gives back what was counted here", async () => {
  for (const answer of ["over", "later over"] as const) {
    const one = stage(
      appliedRateLimit({ name: "here", amount: 1, burst: 1 }),
      appliedRateLimit({ name: "mesh", scope: "Global", key: ["source.namespace"] }),
    );
    const limiter = globalLimiter([answer, "later room"]);
    one.known.global = limiter;
    const refused = await one.answer();
    assert.deepEqual(
      [refused.status, refused.body, refused.flags, refused.details, refused.headers?.at(-1)],
      [429, "request_rate_limited", "RL", "request_rate_limited", "1"],
    );
    assert.deepEqual(
      limiter.asked[0]?.map(({ key, limit }) => [limit.name, key]),
      [["mesh", "shop"]],
    );
    assert.equal(await one.admit(), "continue");
    assert.equal(await one.admit(), 429, "by the limit here, which nobody else is asked about");
    assert.equal(limiter.asked.length, 2);
  }
});

const unavailable: [AppliedRateLimit["whenUnavailable"], (number | "continue")[]][] = [
  ["Allow", ["continue", "continue", "continue"]],
  ["Deny", [503, 503, 503]],
  ["Local", ["continue", "continue", 429]],
];
for (const [whenUnavailable, expected] of unavailable) {
  test(`while nobody counts for the mesh: ${whenUnavailable}`, async () => {
    for (const limiter of [
      undefined,
      globalLimiter(["unavailable", "unavailable", "unavailable"]),
    ]) {
      const one = stage(appliedRateLimit({ scope: "Global", whenUnavailable }));
      one.known.global = limiter;
      const asked = [request(), request(), request()];
      const found = [];
      for (const each of asked) found.push(await one.admit(each));
      assert.deepEqual(found, expected);
      assert.equal(one.known.tallies()[0]?.unavailable, 3);
      for (const { decision } of asked)
        assert.deepEqual(decision?.uncounted, ["production/limits/all"]);
      const reason = asked.at(-1)?.decision?.reason;
      if (whenUnavailable === "Deny") {
        assert.ok(reason?.because === "rate-limited" && reason.unavailable === true);
      }
    }
  });
}

test("a limit that nobody knows lets everything through, and says so in the decision", async () => {
  const terms = { scope: "Global", headers: "Always" } as const;
  for (const mode of ["Enforce", "Shadow"] as const) {
    const one = stage(
      appliedRateLimit({ ...terms, mode, whenUnavailable: "Deny" }),
      appliedRateLimit({ ...terms, name: "known" }),
    );
    one.known.global = globalLimiter(
      mode === "Enforce" ? ["unknown", "room"] : ["room", "unknown"],
    );
    const asked = request();
    assert.equal(await one.admit(asked), "continue");
    assert.deepEqual(asked.decision?.uncounted, ["production/limits/all"]);
    const [tally] = one.known.tallies();
    assert.deepEqual([tally?.passed, tally?.unknown, tally?.unavailable], [0, 1, 0]);
    assert.equal(toldIn(asked), '"known";r=5', "what is left of it nobody knows");
  }
});

test("callers hear nothing of a limit on trial", async () => {
  const one = stage(appliedRateLimit({ amount: 1, burst: 1, mode: "Shadow", headers: "Always" }));
  const asked = [request(), request()];
  for (const each of asked) assert.equal(await one.admit(each), "continue");
  assert.deepEqual(asked.map(toldIn), [undefined, undefined]);
});

test("the last request that there is room for here is given back, too, where the mesh refuses it", async () => {
  for (const answer of ["over", "later over"] as const) {
    const one = stage(
      appliedRateLimit({ name: "here", amount: 1, burst: 1, headers: "Always" }),
      appliedRateLimit({ name: "mesh", scope: "Global" }),
    );
    one.known.global = globalLimiter([answer, answer, "room"]);
    assert.deepEqual([await one.admit(), await one.admit()], [429, 429]);
    assert.equal(await one.admit(), "continue");
  }
});

test("of several global limits one that denies unasked gives back what the others have counted", async () => {
  const one = stage(
    appliedRateLimit({ name: "a", scope: "Global" }),
    appliedRateLimit({ name: "b", scope: "Global", whenUnavailable: "Deny" }),
  );
  const limiter = globalLimiter(["room", "unavailable"]);
  one.known.global = limiter;
  const refused = await one.answer();
  assert.deepEqual(
    [refused.status, refused.flags, refused.details],
    [503, "RLSE", "rate_limiter_error"],
  );
  assert.deepEqual(
    limiter.givenBack.map((each) => each.map(({ limit }) => limit.name)),
    [["a"]],
  );
});

test("a global limit on trial is asked only about what the others let in, and refuses nobody", async () => {
  const one = stage(
    appliedRateLimit({ name: "a", scope: "Global" }),
    appliedRateLimit({ name: "b", scope: "Global", mode: "Shadow" }),
  );
  const limiter = globalLimiter(["room", "later over", "over"]);
  one.known.global = limiter;
  const asked = request();
  assert.equal(await one.admit(asked), "continue");
  assert.deepEqual(
    asked.decision?.shadowLimits?.map(({ limit }) => limit),
    ["production/limits/b"],
  );
  assert.equal(await one.admit(), 429);
  assert.equal(limiter.asked.length, 3);
});
