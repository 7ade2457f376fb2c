import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { type RecordedLog, recordedLog } from "../../../test/kit/recorded-log.ts";
import type { TokenKeySource } from "../../policy/token-key-source.ts";
import { type KeySetStates, KeySets } from "./key-sets.ts";

const SOURCE: TokenKeySource = { from: "uri", uri: "https://i/keys" };
const NAME = "https://i/keys";
const WANTED = [{ source: SOURCE, timeoutMs: 5_000 }];
const NOW = new Date("2026-06-01T12:00:00.000Z");
const MINUTE = 60_000;

/** An issuer that answers by what it is told to. */
class Issuer {
  answer: string | Error = "keys 1";
  asked = 0;
  readonly log: RecordedLog = recordedLog();
  readonly keySets: KeySets;

  constructor(kept: KeySetStates = new Map()) {
    this.keySets = new KeySets({
      find: async () => {
        this.asked++;
        if (this.answer instanceof Error) throw this.answer;
        return this.answer;
      },
      clock: { now: () => NOW },
      random: () => 0,
      log: this.log,
      kept,
    });
  }

  get state(): object | undefined {
    return this.keySets.states.current.get(NAME);
  }

  async pass(ms: number, stepMs = 250): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      mock.timers.tick(stepMs);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
  }
}

describe("keys of token issuers", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  test("fetches at once, and again after 18 to 20 minutes", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    assert.deepEqual(issuer.state, { jwks: "keys 1", fetchedAt: NOW.toISOString() });
    await issuer.pass(17 * MINUTE, MINUTE);
    assert.equal(issuer.asked, 1);
    issuer.answer = "keys 2";
    await issuer.pass(3 * MINUTE, MINUTE);
    assert.equal(issuer.asked, 2);
    assert.deepEqual(issuer.state, { jwks: "keys 2", fetchedAt: NOW.toISOString() });
  });

  test("while there are no keys it tries again within seconds, and says so once", async () => {
    const issuer = new Issuer();
    issuer.answer = new Error("nobody there");
    issuer.keySets.want(WANTED);
    await issuer.pass(10 * MINUTE);
    assert.ok(issuer.asked > 10 * 60 * 0.3, String(issuer.asked));
    assert.deepEqual(issuer.state, { problem: "nobody there" });
    assert.equal(issuer.log.find("keys of a token issuer cannot be fetched").length, 1);
    issuer.answer = "keys 1";
    await issuer.pass(3_000);
    assert.deepEqual(issuer.state, { jwks: "keys 1", fetchedAt: NOW.toISOString() });
  });

  test("JWT-84: the last good keys stay, however long the issuer is away", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    await issuer.pass(250);
    issuer.answer = new Error("away");
    await issuer.pass(24 * 60 * MINUTE, MINUTE);
    assert.deepEqual(issuer.state, {
      jwks: "keys 1",
      fetchedAt: NOW.toISOString(),
      problem: "away",
    });
    assert.ok(issuer.asked < 600, String(issuer.asked));
    issuer.answer = "keys 1";
    await issuer.pass(6 * MINUTE);
    assert.deepEqual(issuer.state, { jwks: "keys 1", fetchedAt: NOW.toISOString() });
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
      fetchedAt: "2026-05-01T12:00:00.000Z",
      problem: "away",
    });
  });

  test("an answer that comes when it is wanted no more changes nothing", async () => {
    const issuer = new Issuer();
    issuer.keySets.want(WANTED);
    issuer.keySets.want([]);
    await issuer.pass(250);
    assert.equal(issuer.state, undefined);
  });
});
