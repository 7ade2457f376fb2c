/** Counting in a real Redis: the script says what `takeTokens` says, and what happens while Redis is away, frozen, or new. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import type { RedisSettings } from "../../src/api/rate-limit-settings.ts";
import { type Count, CountersAwayError } from "../../src/rate-limit-service/counters.ts";
import { connectRedis } from "../../src/rate-limit-service/redis-connection.ts";
import { RedisCounters } from "../../src/rate-limit-service/redis-counters.ts";
import { takeScript } from "../../src/rate-limit-service/take-script.ts";
import { freshDebts, idleMs, takeTokens } from "../../src/rate-limit-service/token-debts.ts";
import { freePort } from "../kit/free-port.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { recordedLog } from "../kit/recorded-log.ts";
import { type RedisServer, redisServer } from "../kit/redis-server.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";
import { until } from "../kit/until.ts";

const COUNT: Count = {
  ...{ limit: "shop/checkout/all", key: "", rate: 0.1, burst: 100 },
  ...{ identity: "", fair: false, hits: 1, advance: "unwelcome" },
};

/** What a state could be, and is not. */
const STATES = [
  "'text'",
  "{}",
  "{ 'debts', 2 }",
  "{ 'other', 2, { { 'a', 9 } } }",
  "{ 'debts', 'a', { { 'a', 9 } } }",
  "{ 'debts', 0 / 0, { { 'a', 9 } } }",
  "{ 'debts', 1 / 0, { { 'a', 9 } } }",
  "{ 'debts', -5, { { 'a', 9 } } }",
  "{ 'debts', 2e12, { 3 } }",
  "{ 'debts', 2e12, { { 4, 5 } } }",
  "{ 'debts', 2e12, { { 'a', 0 / 0 } } }",
  "{ 'debts', 2e12, { { 'a', '6' } } }",
  "{ 'debts', 2e12, { { 'a', 9 }, { 'b', 8 } } }",
];

describe("counters in Redis", { skip: missingParts("redis-server", "redis-cli") }, () => {
  const log = recordedLog();
  let redis: RedisServer;
  let settings: RedisSettings;
  const open: RedisCounters[] = [];

  before(async () => {
    redis = redisServer(await freePort());
    settings = { host: "127.0.0.1", port: redis.port, database: 0 };
    await redis.start();
  });
  after(async () => {
    for (const counters of open) await counters.close();
    await redis?.kill();
  });

  interface Wish {
    readonly script?: string;
    readonly to?: RedisSettings;
    readonly timeoutMs?: number;
  }

  function connect(prefix: string, wish: Wish = {}): RedisCounters {
    const { script, to = settings, timeoutMs = 5_000 } = wish;
    const counters = new RedisCounters(connectRedis(to, log, timeoutMs), {
      prefix,
      ...(script !== undefined && { script }),
    });
    open.push(counters);
    return counters;
  }

  const ready = (counters: RedisCounters, count: Count = COUNT) =>
    until("Redis to count", () =>
      counters.take({ ...count, limit: "warm/up/limit" }).then(
        () => true,
        () => false,
      ),
    );

  test("the script says what the program says, of any course of things", async () => {
    const watch = connectRedis(settings, log, 5_000);
    const counters = connect("law:", {
      script: takeScript("{ redis.call('GET', 'law:clock'), 0 }"),
    });
    redis.ask("set", "law:clock", "0");
    await ready(counters);
    let run = 0;
    const asks = fc.array(
      fc.record({
        after: fc.integer({ min: -20, max: 40 }),
        identity: fc.constantFrom("a", "b", "c", "d", "e"),
        fair: fc.constantFrom(true, true, true, false),
        hits: fc.integer({ min: 0, max: 40 }),
        advance: fc.constantFrom("welcome" as const, "unwelcome" as const),
      }),
      { minLength: 1, maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(
        asks,
        fc.double({ min: 0.0001, max: 2, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        async (list, rate, burst) => {
          run++;
          let seconds = 1_000;
          const debts = freshDebts(seconds * 1_000);
          for (const { after: passed, ...ask } of list) {
            seconds += passed;
            await watch.command(["SET", "law:clock", `${seconds}`]);
            const count = { ...COUNT, limit: `law/${run}/x`, rate, burst, ...ask };
            const state = ask.hits === 0 ? structuredClone(debts) : debts;
            const { waitMs, ...expected } = takeTokens(state, count, seconds * 1_000);
            const { waitMs: told, ...taken } = await counters.take(count);
            assert.deepEqual(taken, expected);
            assert.equal(told, Math.ceil(waitMs));
          }
        },
      ),
      { numRuns: 100 },
    );
    await watch.close();
  });

  test("what is counted is counted once for all who ask, by the clock of Redis", async () => {
    const askers = [1, 2, 3, 4].map(() => connect("shared:"));
    for (const counters of askers) await ready(counters);
    const startedAt = performance.now();
    const taken = [];
    for (let turn = 0; turn < 20; turn++)
      taken.push(
        ...(await Promise.all(askers.map((counters) => counters.take({ ...COUNT, hits: 5 })))),
      );
    const granted = taken.reduce((sum, one) => sum + one.granted, 0);
    const come = COUNT.rate * (performance.now() - startedAt);
    assert.ok(granted >= 100 && granted <= 101 + come, `${granted}, ${come}`);
    assert.ok(taken.some((one) => one.granted < 5 && one.waitMs > 0 && one.waitMs <= 10));
  });

  test("a counter is one key, which is gone when it would be as new", async () => {
    const counters = connect("keys:");
    await ready(counters);
    await counters.take({ ...COUNT, key: "abc" });
    const key = "keys:shop/checkout/all:abc";
    const left = Number(redis.ask("pttl", key));
    assert.ok(left > 9_000 && left <= idleMs(COUNT), `${left}`);
    const others: [string, ...string[]][] = [
      ["set", key, "what somebody else wrote"],
      ["rpush", key, "a list"],
      ["hset", key, "a", "hash"],
      ...STATES.map((state): [string, ...string[]] => [
        "eval",
        `redis.call('SET', KEYS[1], cmsgpack.pack(${state}))`,
        "1",
        key,
      ]),
    ];
    for (const other of others) {
      redis.ask("del", key);
      redis.ask(...other);
      const taken = await counters.take({ ...COUNT, key: "abc" });
      assert.deepEqual([taken.granted, taken.remaining], [1, 99], `${other}: it begins anew`);
    }
  });

  test("a key that nobody may read is not begun anew", async () => {
    const locked = redisServer(await freePort());
    await locked.start();
    try {
      const counters = connect("locked:", { to: { ...settings, port: locked.port } });
      await ready(counters);
      locked.ask("acl", "setuser", "default", "-get");
      await assert.rejects(counters.take(COUNT), CountersAwayError);
      assert.ok(log.find("Redis refuses to count").length > 0);
      locked.ask("acl", "setuser", "default", "+get");
      assert.equal((await counters.take(COUNT)).granted, 1);
    } finally {
      await locked.kill();
    }
  });

  test("a Redis that follows another one is left, and counts again when it leads", async () => {
    const follower = redisServer(await freePort());
    await follower.start();
    try {
      const counters = connect("follower:", { to: { ...settings, port: follower.port } });
      await ready(counters);
      follower.ask("replicaof", "127.0.0.1", String(redis.port));
      await until("a refusal", async () =>
        counters.take(COUNT).then(
          () => false,
          () => true,
        ),
      );
      await until("it to be left", async () =>
        log.find("Redis is away").some(({ fields }) => /READONLY/.test(`${fields["problem"]}`)),
      );
      follower.ask("replicaof", "no", "one");
      await ready(counters);
    } finally {
      await follower.kill();
    }
  });

  test("the slowest limit that can be written is counted, too", async () => {
    const counters = connect("slow:");
    const perMs = 31 * 24 * 3_600_000;
    const slow = { ...COUNT, rate: 1 / perMs, burst: 1_000_000_000, hits: 1_000_000_000 };
    await ready(counters);
    assert.equal((await counters.take(slow)).granted, 1_000_000_000);
    const { granted, waitMs } = await counters.take({ ...slow, hits: 1 });
    assert.equal(granted, 0);
    assert.ok(waitMs > 0.99 * perMs && waitMs <= perMs, `${waitMs}`);
  });

  test("while Redis is away nobody waits, and when it is back nobody has to do anything", async () => {
    const counters = connect("away:");
    await ready(counters);
    await redis.kill();
    await until("the loss to be seen", () =>
      counters.take(COUNT).then(
        () => false,
        (error: unknown) => error instanceof CountersAwayError,
      ),
    );
    const startedAt = performance.now();
    for (let one = 0; one < 100; one++)
      await assert.rejects(counters.take(COUNT), CountersAwayError);
    assert.ok(performance.now() - startedAt < 100, "told at once");
    await redis.start();
    const restartedAt = performance.now();
    await until("Redis to be back", () =>
      counters.take(COUNT).then(
        () => true,
        () => false,
      ),
    );
    assert.ok(performance.now() - restartedAt < 2_000);
    assert.ok(log.find("Redis is away").length > 0);
  });

  test("a Redis that stands still costs each question 100 ms, and its connection is given up", async () => {
    const counters = connect("frozen:", { timeoutMs: 100 });
    await ready(counters);
    redis.freeze();
    try {
      const startedAt = performance.now();
      await assert.rejects(counters.take(COUNT), /no answer in 100 ms/);
      assert.ok(performance.now() - startedAt < 500);
      await delay(2_400); // nobody asks again meanwhile
      await assert.rejects(counters.take(COUNT), /Redis is away/);
      assert.ok(log.lines.some(({ fields }) => /given up/.test(`${fields["problem"]}`)));
    } finally {
      redis.thaw();
    }
    await ready(counters);
  });

  test("a password is read from its file, for each connection", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-redis-"));
    const locked = redisServer(await freePort(), ["--requirepass", "first"]);
    try {
      await locked.start();
      const passwordFile = join(folder, "password");
      await writeFile(passwordFile, "wrong\n");
      const counters = connect("locked:", { to: { ...settings, port: locked.port, passwordFile } });
      await until("a refusal", async () =>
        log
          .find("Redis is away")
          .some(({ fields }) => /WRONGPASS|invalid/.test(`${fields["problem"]}`)),
      );
      await assert.rejects(counters.take(COUNT), CountersAwayError);
      await writeFile(passwordFile, "first\n");
      await ready(counters);
      assert.ok(!JSON.stringify(log.lines).includes("first"));
    } finally {
      await locked.kill();
      await rm(folder, { recursive: true });
    }
  });

  test("over TLS, as a user who may do no more than it takes; nobody else's server is believed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-redis-"));
    const authority = createThrowawayAuthority();
    const { certificateChainPem, privateKeyPem } = authority.serverCertificate();
    const [cert, key, passwordFile] = ["cert.pem", "key.pem", "password"].map((name) =>
      join(folder, name),
    );
    if (cert === undefined || key === undefined || passwordFile === undefined) assert.fail();
    await writeFile(cert, certificateChainPem);
    await writeFile(key, privateKeyPem);
    await writeFile(passwordFile, "chain-mail");
    const port = await freePort();
    const rules = "on >chain-mail ~hauberk:* -@all +get +set +time +eval +evalsha";
    const secured = redisServer(
      port,
      [
        ...["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no"],
        ...["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert],
        ...["--user", "hauberk", ...rules.split(" ")],
      ],
      ["--tls", "--insecure"],
    );
    try {
      await secured.start();
      const tls = { serverName: "localhost", authoritiesPem: [authority.rootPem] };
      const as = { ...settings, port, user: "hauberk", passwordFile };
      const counters = connect("hauberk:tls:", { to: { ...as, tls } });
      await ready(counters);
      assert.equal((await counters.take(COUNT)).granted, 1);
      for (const [serverName, { rootPem }, problem] of [
        ["redis.example", authority, /altnames/],
        ["localhost", createThrowawayAuthority(), /certificate/],
      ] as const) {
        const told = log.lines.length;
        const other = { serverName, authoritiesPem: [rootPem] };
        const refused = connect("hauberk:tls:", { to: { ...as, tls: other } });
        await until(`a refusal: ${problem}`, async () =>
          log.lines.slice(told).some(({ fields }) => problem.test(`${fields["problem"]}`)),
        );
        await assert.rejects(refused.take(COUNT), CountersAwayError);
      }
    } finally {
      await secured.kill();
      await rm(folder, { recursive: true });
    }
  });
});
