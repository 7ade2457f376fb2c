import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { validateJwtSvid } from "../identity/jwt-svid.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { readUnverified } from "../jwt/verify-signature.ts";
import { JWT_SVID_LIFETIME_MS, JwtAuthority } from "./jwt-authority.ts";
import { KeyDirectoryError } from "./key-directory.ts";

const ID = parseSpiffeId("spiffe://cluster.local/ns/shop/sa/web");
const MINUTE_MS = 60_000;

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(base, { recursive: true }));

const newFolder = (): Promise<string> => mkdtemp(join(base, "data-"));

class HandClock {
  #now = new Date("2026-03-01T12:00:00.700Z").getTime();
  now(): Date {
    return new Date(this.#now);
  }
  pass(ms: number): void {
    this.#now += ms;
  }
}

const keyOf = (token: string): string | undefined => readUnverified(token).keyId;

test("a token names its key, which all verifiers know, and lives five minutes", async () => {
  const clock = new HandClock();
  const authority = await JwtAuthority.open({
    directory: await newFolder(),
    authority: "a",
    clock,
  });
  const { token, expiresAt } = await authority.mint(ID, ["api", "db"]);
  const bundles = new Map([["cluster.local", authority.publicKeys.current]]);
  const now = clock.now();
  const svid = await validateJwtSvid(token, { audience: ["db"], bundles, now });
  assert.equal(svid.id, ID);
  assert.deepEqual(svid.expiresAt, expiresAt);
  assert.ok(expiresAt.getTime() - now.getTime() <= JWT_SVID_LIFETIME_MS);
  assert.deepEqual([...authority.publicKeys.current.keys()], [keyOf(token)]);
  authority.close();
});

test("the key rests for its owner alone, and is found again", async () => {
  const clock = new HandClock();
  const directory = await newFolder();
  const first = await JwtAuthority.open({ directory, authority: "a", clock });
  const again = await JwtAuthority.open({ directory, authority: "a", clock });
  assert.deepEqual([...first.publicKeys.current.keys()], [...again.publicKeys.current.keys()]);
  const { mode } = await stat(join(directory, "ca", "jwt-authority.json"));
  assert.equal(mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(directory, "ca")), ["jwt-authority.json"]);
});

test("with another signing authority a new key is known first, then signs, and the old one stays until its tokens end", async () => {
  const clock = new HandClock();
  const directory = await newFolder();
  const authority = await JwtAuthority.open({ directory, authority: "a", clock });
  const [oldKey] = authority.publicKeys.current.keys();
  const told: string[][] = [];
  authority.publicKeys.onChange((keys) => told.push([...keys.keys()]));

  await authority.follow("b");
  const [, newKey] = authority.publicKeys.current.keys();
  assert.deepEqual(told, [[oldKey, newKey]]);
  assert.notEqual(newKey, oldKey);
  assert.equal(keyOf((await authority.mint(ID, ["api"])).token), oldKey);

  clock.pass(2 * MINUTE_MS);
  const last = await authority.mint(ID, ["api"]);
  assert.equal(keyOf(last.token), newKey);

  clock.pass(JWT_SVID_LIFETIME_MS);
  await authority.follow("b");
  assert.deepEqual([...authority.publicKeys.current.keys()], [oldKey, newKey]);
  clock.pass(MINUTE_MS);
  await authority.follow("b");
  assert.deepEqual([...authority.publicKeys.current.keys()], [newKey]);

  const again = await JwtAuthority.open({ directory, authority: "b", clock });
  assert.deepEqual([...again.publicKeys.current.keys()], [newKey]);
  for (const one of [authority, again]) one.close();
});

test("a change that happened while nobody ran is followed at the next start", async () => {
  const clock = new HandClock();
  const directory = await newFolder();
  await JwtAuthority.open({ directory, authority: "a", clock });
  const authority = await JwtAuthority.open({ directory, authority: "b", clock });
  assert.equal(authority.publicKeys.current.size, 2);
  authority.close();
});

test("steps back and forth make no heap of keys", async () => {
  const clock = new HandClock();
  const directory = await newFolder();
  const authority = await JwtAuthority.open({ directory, authority: "a", clock });
  for (const name of ["b", "a", "c", "a", "d"]) await authority.follow(name);
  assert.equal(authority.publicKeys.current.size, 2);
  for (let round = 0; round < 40; round++) {
    clock.pass(MINUTE_MS / 2);
    await authority.follow(`round ${round}`);
    assert.ok(authority.publicKeys.current.size <= 6);
  }
  authority.close();
});

const faulty: [what: string, text: string][] = [
  ["no JSON", "{"],
  ["another format", '{"format":2,"keys":[]}'],
  ["no keys", '{"format":1,"keys":[]}'],
  ["a key that is none", '{"format":1,"keys":[{"keyId":"a"}]}'],
  [
    "a key that cannot be read",
    '{"format":1,"keys":[{"keyId":"a","authority":"b","signsFrom":"2026-03-01T12:00:00Z","privateKeyPem":"x"}]}',
  ],
];
for (const [what, text] of faulty) {
  test(`a file with ${what} is refused, and stays as it is`, async () => {
    const directory = await newFolder();
    const clock = new HandClock();
    await JwtAuthority.open({ directory, authority: "a", clock });
    const path = join(directory, "ca", "jwt-authority.json");
    await writeFile(path, text);
    await assert.rejects(
      JwtAuthority.open({ directory, authority: "a", clock }),
      KeyDirectoryError,
    );
    assert.equal(await readFile(path, "utf8"), text);
  });
}

test("a file that others may read is refused", async () => {
  const directory = await newFolder();
  const clock = new HandClock();
  await JwtAuthority.open({ directory, authority: "a", clock });
  await chmod(join(directory, "ca", "jwt-authority.json"), 0o640);
  await assert.rejects(
    JwtAuthority.open({ directory, authority: "a", clock }),
    /open to others; expected 0600/,
  );
});

test("a key that a clock which ran ahead has made waits no longer than any other, once the clock is right", async () => {
  const clock = new HandClock();
  const directory = await newFolder();
  const first = await JwtAuthority.open({ directory, authority: "a", clock });
  const before = keyOf((await first.mint(ID, ["api"])).token);
  const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;
  clock.pass(14 * YEAR_MS);
  const ahead = await JwtAuthority.open({ directory, authority: "b", clock });
  clock.pass(-14 * YEAR_MS);
  const right = await JwtAuthority.open({ directory, authority: "a", clock });
  assert.equal(keyOf((await right.mint(ID, ["api"])).token), before);
  clock.pass(3 * MINUTE_MS);
  assert.notEqual(keyOf((await right.mint(ID, ["api"])).token), before, "the key turned");
  for (const one of [first, ahead, right]) one.close();
});
