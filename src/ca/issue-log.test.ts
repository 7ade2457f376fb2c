import assert from "node:assert/strict";
import { appendFile, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { type IssueLog, IssueLogError, type IssueRecord, openIssueLog } from "./issue-log.ts";

const HOUR_MS = 3_600_000;
const start = new Date("2026-03-04T05:06:07Z");

interface Book {
  readonly directory: string;
  readonly path: string;
  readonly log: ReturnType<typeof recordedLog>;
  now: Date;
  open(limits?: { fileBytes: number; fullFiles: number }): Promise<IssueLog>;
  lines(): Promise<Record<string, unknown>[]>;
}

const KEY = "ab".repeat(32);

function record(serial: string, changes: Partial<IssueRecord> = {}): IssueRecord {
  return {
    time: start,
    serial,
    identity: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart"),
    authenticatedBy: "certificate",
    remote: "127.0.0.1:1",
    notAfter: new Date(start.getTime() + HOUR_MS),
    issuer: "0123456789abcdef",
    publicKeySha256: KEY,
    ...changes,
  };
}

function bookTest(name: string, run: (book: Book) => Promise<void>): void {
  test(name, async () => {
    const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
    const path = join(directory, "issued.jsonl");
    const log = recordedLog();
    const book: Book = {
      directory,
      path,
      log,
      now: start,
      open: (limits) =>
        openIssueLog({
          directory,
          clock: { now: () => book.now },
          log,
          ...(limits === undefined ? {} : { limits }),
        }),
      lines: async () => {
        const text = await readFile(path, "utf8");
        const lines = text.split("\n").filter((line) => line !== "");
        return lines.map((line): Record<string, unknown> => JSON.parse(line));
      },
    };
    try {
      await run(book);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

const serialsOf = (lines: readonly Record<string, unknown>[]): unknown[] =>
  lines.map(({ serial }) => serial);

bookTest("what is acknowledged is in the file, for its owner alone", async (book) => {
  const issueLog = await book.open();
  await issueLog.append(record("01"));
  assert.deepEqual(serialsOf(await book.lines()), ["01"]);
  assert.equal((await stat(book.path)).mode & 0o777, 0o600);
  await issueLog.close();
});

bookTest("records that come together are all written, in their order", async (book) => {
  const issueLog = await book.open();
  const serials = Array.from({ length: 3_000 }, (_, index) => `${index}`);
  await Promise.all(serials.map((serial) => issueLog.append(record(serial))));
  assert.deepEqual(serialsOf(await book.lines()), serials);
  await issueLog.close();
});

for (const torn of ['{"time":"2026-03', "\0\0\0\0"]) {
  bookTest(`a last line that was torn goes away: ${JSON.stringify(torn)}`, async (book) => {
    const before = await book.open();
    await before.append(record("01"));
    await before.close();
    await appendFile(book.path, torn);
    const after = await book.open();
    await after.append(record("02"));
    await after.close();
    assert.deepEqual(serialsOf(await book.lines()), ["01", "02"]);
  });
}

bookTest("a file that is full is put aside, and goes when all in it has expired", async (book) => {
  const issueLog = await book.open({ fileBytes: 1_000, fullFiles: 9 });
  for (let number = 0; number < 10; number++) await issueLog.append(record(`${number}`));
  const full = await fullFiles(book);
  assert.ok(full.length > 2, full.join());
  assert.match(full[0] ?? "", /^issued-00000001-until-20260304T060607Z\.jsonl$/);
  book.now = new Date(start.getTime() + 2 * HOUR_MS);
  const later = { notAfter: new Date(start.getTime() + 9 * HOUR_MS) };
  for (let number = 0; number < 4; number++) await issueLog.append(record(`${number}`, later));
  for (const name of await fullFiles(book)) assert.match(name, /until-20260304T140607Z/);
  assert.equal(book.log.lines.length, 0);
  await issueLog.close();
});

bookTest(
  "there are never more full files than allowed, and it is told what that costs",
  async (book) => {
    const issueLog = await book.open({ fileBytes: 1_000, fullFiles: 2 });
    for (let number = 0; number < 30; number++) {
      book.now = new Date(book.now.getTime() + 1);
      await issueLog.append(record(`${number}`));
    }
    assert.equal((await fullFiles(book)).length, 2);
    assert.equal(book.log.lines.at(-1)?.level, "warn");
    await issueLog.close();
  },
);

bookTest("the end of what a file tells of survives a restart", async (book) => {
  const limits = { fileBytes: 1_000, fullFiles: 9 };
  const before = await book.open(limits);
  const notAfter = new Date(start.getTime() + 99 * HOUR_MS);
  await before.append(record("01", { notAfter }));
  await before.close();
  const after = await book.open(limits);
  for (let number = 0; number < 5; number++) await after.append(record(`${number}`));
  await after.close();
  assert.match((await fullFiles(book))[0] ?? "", /until-20260308T080607Z/);
});

bookTest(
  "where it cannot be written all who wait are told, and it goes on when it can be",
  async (book) => {
    const issueLog = await book.open({ fileBytes: 700, fullFiles: 9 });
    await Promise.all([issueLog.append(record("01")), issueLog.append(record("02"))]);
    await rename(book.directory, `${book.directory}-away`);
    const refused = await Promise.allSettled([
      issueLog.append(record("03")),
      issueLog.append(record("04")),
      issueLog.append(record("05")),
    ]);
    for (const one of refused)
      assert.ok(one.status === "rejected" && one.reason instanceof IssueLogError);
    assert.match(book.log.lines[0]?.message ?? "", /no certificate is issued/);
    await rename(`${book.directory}-away`, book.directory);
    await issueLog.append(record("06"));
    assert.equal((await book.lines()).at(-1)?.["serial"], "06");
    assert.match(book.log.lines.at(-1)?.message ?? "", /is written again/);
    await issueLog.close();
  },
);

bookTest(
  "whose a certificate is survives a restart, also out of files that are full",
  async (book) => {
    const limits = { fileBytes: 1_000, fullFiles: 9 };
    const pod = { namespace: "shop", podName: "cart-0", podUid: "uid-1", serviceAccount: "cart" };
    const agent = parseSpiffeId("spiffe://cluster.local/ns/istio-system/sa/ztunnel");
    const before = await book.open(limits);
    for (let number = 0; number < 10; number++) await before.append(record(`0${number}`, { pod }));
    await before.append(record("0A"));
    await before.append(record("0B", { pod, impersonatedBy: agent }));
    assert.deepEqual(before.holderOf("00", KEY)?.pod, pod);
    await before.close();
    assert.ok((await fullFiles(book)).length > 1);
    await appendFile(book.path, "no record\n");
    const after = await book.open(limits);
    for (const serial of ["00", "05", "09"]) {
      assert.deepEqual(after.holderOf(serial, KEY)?.pod, pod);
      assert.equal(after.holderOf(serial, KEY)?.identity, record("").identity);
    }
    for (const serial of ["0A", "0B", "0C"]) assert.equal(after.holderOf(serial, KEY), undefined);
    assert.equal(after.validOf({ identity: record("").identity, pod }), 10);
    await after.close();
  },
);

bookTest("what could not be written down is nobody's", async (book) => {
  const pod = { namespace: "shop", podName: "cart-0", podUid: "uid-1", serviceAccount: "cart" };
  const issueLog = await book.open({ fileBytes: 700, fullFiles: 9 });
  await Promise.all([issueLog.append(record("01")), issueLog.append(record("02"))]);
  await rename(book.directory, `${book.directory}-away`);
  await assert.rejects(issueLog.append(record("03", { pod })), IssueLogError);
  assert.equal(issueLog.holderOf("03", KEY), undefined);
  await rename(`${book.directory}-away`, book.directory);
  await issueLog.close();
});

test("a folder that is not there opens no log", async () => {
  const directory = join(tmpdir(), "hauberk-there-is-none");
  const options = { directory, clock: { now: () => start }, log: recordedLog() };
  await assert.rejects(openIssueLog(options), IssueLogError);
});

async function fullFiles({ directory }: Book): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith("issued-")).sort();
}
