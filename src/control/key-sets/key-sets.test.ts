import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { type RecordedLog, recordedLog } from "../../../test/kit/recorded-log.ts";
import type { TokenKeySource } from "../../policy/token-key-source.ts";
import { type KeySetStates, KeySets } from "./key-sets.ts";

const SOURCE: TokenKeySource = { from: "uri", uri: "https://i/keys" };
const NAME = "https://i/keys";
const WANTED = [{ source: SOURCE, timeoutMs: 5_000 }];
const NOW = new Date("2026-06-01T12:00:00.000Z");
const DAY = "2026-06-01";
const MINUTE = 60_000;

/** An issuer that answers by what it is told to. */
class Issuer {
  answer: string | Error = "keys 1";
  asked = 0;
  readonly log: RecordedLog = recordedLog();
  readonly keySets: KeySets;
  /** Of the last fetch. */
  timeoutMs = 0;
  #passedMs = 0;

  constructor(kept: KeySetStates = new Map()) {
    this.keySets = new KeySets({
      find: async (_, timeoutMs) => {
        this.asked++;
        this.timeoutMs = timeoutMs;
        if (this.answer instanceof Error) throw this.answer;
        return this.answer;
      },
      clock: { now: () => new Date(NOW.getTime() + this.#passedMs) },
      random: () => 0,
      log: this.log,
      kept,
    });
  }

  /** But for the time, which passes. */
  get state(): object | undefined {
    const state = this.keySets.states.current.get(NAME);
    if (state === undefined || state.fetchedAt === undefined) return state;
    return { ...state, fetchedAt: state.fetchedAt.slice(0, 10) };
  }

  async pass(ms: number, stepMs = 250): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.#passedMs += stepMs;
      mock.timers.tick(stepMs);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  }
}

describe("keys of token issuers", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  test("tells of those that are asked for: keys, their age, what went wrong, and when it is tried again", async () => {
    const issuer = new Issuer();
    assert.deepEqual(issuer.keySets.facts([NAME]), []);
    issuer.keySets.want(WANTED);
    assert.deepEqual(issuer.keySets.facts([NAME, "another"]), [{ source: NAME }]);
    await issuer.pass(250);
    const [good] = issuer.keySets.facts([NAME]);
    assert.deepEqual([good?.jwks, good?.fetchedAt?.slice(0, 10)], ["keys 1", DAY]);
    const nextMs = Date.parse(good?.nextTryAt ?? "") - NOW.getTime();
    assert.ok(nextMs >= 18 * MINUTE && nextMs <= 20 * MINUTE + 1_000, String(nextMs));
    issuer.answer = new Error("connect ECONNREFUSED");
    await issuer.pass(20 * MINUTE, MINUTE);
    const [failed] = issuer.keySets.facts([NAME]);
    assert.deepEqual([failed?.jwks, failed?.problem], ["keys 1", "connect ECONNREFUSED"]);
    assert.ok(Date.parse(failed?.nextTryAt ?? "") > Date.parse(good?.nextTryAt ?? ""));
  });

  test("fetches at once, and again after 18 to 20 minutes", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    assert.deepEqual(issuer.state, { jwks: "keys 1", fetchedAt: DAY });
    await issuer.pass(17 * MINUTE, MINUTE);
    assert.equal(issuer.asked, 1);
    issuer.answer = "keys 2";
    await issuer.pass(3 * MINUTE, MINUTE);
    assert.equal(issuer.asked, 2);
    assert.deepEqual(issuer.state, { jwks: "keys 2", fetchedAt: DAY });
  });

  test("while there are no keys it tries again within seconds, and says so once", async () => {
    const issuer = new Issuer();
    issuer.answer = new Error("nobody there");
    issuer.keySets.want(WANTED);
    await issuer.pass(MINUTE);
    assert.ok(issuer.asked > 20, String(issuer.asked));
    assert.deepEqual(issuer.state, { problem: "nobody there" });
    assert.equal(issuer.log.find("keys of a token issuer cannot be fetched").length, 1);
    issuer.answer = "keys 1";
    await issuer.pass(3_000);
    assert.deepEqual(issuer.state, { jwks: "keys 1", fetchedAt: DAY });
  });

  test("JWT-84: the last good keys stay, however long the issuer is away", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    issuer.answer = new Error("away");
    await issuer.pass(24 * 60 * MINUTE, MINUTE);
    assert.deepEqual(issuer.state, {
      jwks: "keys 1",
      fetchedAt: DAY,
      problem: "away",
    });
    assert.ok(issuer.asked < 600, String(issuer.asked));
    issuer.answer = "keys 1";
    await issuer.pass(6 * MINUTE);
    assert.deepEqual(issuer.state, { jwks: "keys 1", fetchedAt: "2026-06-02" });
    assert.equal(issuer.log.find("a token issuer answers again").length, 1);
  });

  test("what is wanted no more is forgotten, and asked no more", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    issuer.keySets.want([]);
    assert.equal(issuer.state, undefined);
    await issuer.pass(60 * MINUTE, MINUTE);
    assert.equal(issuer.asked, 1);
  });

  test("JWT-84: what was kept over a restart counts until the issuer answers", async () => {
    const issuer = new Issuer(
      new Map([
        [NAME, { jwks: "keys 0", fetchedAt: "2026-05-01T12:00:00.000Z" }],
        ["https://gone/", { jwks: "keys", fetchedAt: "2026-05-01T12:00:00.000Z" }],
      ]),
    );
    issuer.answer = new Error("away");
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    assert.deepEqual([...issuer.keySets.states.current.keys()], [NAME]);
    assert.deepEqual(issuer.state, {
      jwks: "keys 0",
      fetchedAt: "2026-05-01",
      problem: "away",
    });
  });

  test("keys change with the keys alone: not with each good fetch, nor with a problem", async () => {
    const issuer = new Issuer();
    let changes = 0;
    issuer.keySets.keys.onChange(() => changes++);
    issuer.keySets.want(WANTED);
    await issuer.pass(60 * MINUTE, MINUTE);
    issuer.answer = new Error("away");
    await issuer.pass(60 * MINUTE, MINUTE);
    assert.ok(issuer.asked > 3);
    assert.equal(changes, 1);
    issuer.answer = "keys 2";
    await issuer.pass(20 * MINUTE, MINUTE);
    assert.equal(changes, 2);
    assert.deepEqual([...issuer.keySets.keys.current], [[NAME, "keys 2"]]);
  });

  test("JWT-84: a rule that is written again while its issuer is away has its keys, for a day", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    issuer.answer = new Error("away");
    issuer.keySets.want([]);
    assert.deepEqual([...issuer.keySets.keys.current], []);
    await issuer.pass(60 * MINUTE, MINUTE);
    issuer.keySets.want(WANTED);
    assert.deepEqual([...issuer.keySets.keys.current], [[NAME, "keys 1"]]);
    issuer.keySets.want([]);
    await issuer.pass(25 * 60 * MINUTE, MINUTE);
    issuer.keySets.want(WANTED);
    assert.deepEqual([...issuer.keySets.keys.current], []);
  });

  test("of too many, those followed stay, and what is left out is told once", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    const others = Array.from({ length: 1_100 }, (_, index) => ({
      source: { from: "uri", uri: `https://${index}/` } as const,
      timeoutMs: 5_000,
    }));
    issuer.keySets.want([...others, ...WANTED]);
    issuer.keySets.want([...others, ...WANTED]);
    assert.equal(issuer.keySets.keys.current.get(NAME), "keys 1");
    const told = issuer.log.find("token issuers are more than keys are fetched of");
    assert.deepEqual(
      told.map(({ fields }) => fields["leftOut"]),
      [77],
    );
    await issuer.pass(60_000);
    assert.equal(issuer.keySets.keys.current.size, 1_024);
    issuer.keySets.close();
  });

  test("a rule may not have a fetch wait for longer than a minute", async () => {
    const issuer = new Issuer();
    issuer.keySets.want([{ source: SOURCE, timeoutMs: 1e12 }]);
    assert.equal(issuer.timeoutMs, 60_000);
    await issuer.pass(250);
    issuer.keySets.close();
  });

  test("what a stranger writes does not fill the log", async () => {
    const issuer = new Issuer();
    issuer.answer = new Error("x".repeat(100_000));
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    assert.deepEqual(issuer.state, { problem: "x".repeat(500) });
    issuer.keySets.close();
  });

  test("an answer that comes when it is wanted no more changes nothing", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    issuer.keySets.want([]);
    await issuer.pass(250);
    assert.equal(issuer.state, undefined);
  });
});
