/** Started by `full-disk.test.ts` with a small disk of its own: fills it, writes to the issue log, makes room, writes again. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { IssueLogError, type IssueRecord, openIssueLog } from "../../src/ca/issue-log.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";

const DISK_BYTES = 65_536;
const [directory = ""] = process.argv.slice(2);
const filler = join(directory, "filler");
const issueLog = await openIssueLog({ directory, clock: systemClock, log: silentLog });
const record: IssueRecord = {
  time: new Date(),
  serial: "01",
  identity: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart"),
  authenticatedBy: "certificate",
  remote: "127.0.0.1:1",
  notAfter: new Date(),
  issuer: "0123456789abcdef",
  publicKeySha256: "ab".repeat(32),
};

const written = await isWritten();
await writeFile(filler, Buffer.alloc(DISK_BYTES)).catch(() => undefined);
let refusal: unknown;
while (refusal === undefined) refusal = await issueLog.append(record).catch((error) => error);
await rm(filler);
const writtenAgain = await isWritten();
const lines = (await readFile(join(directory, "issued.jsonl"), "utf8")).split("\n");
console.log(
  JSON.stringify({
    written,
    refusedWhenFull: refusal instanceof IssueLogError ? refusal.code : "nothing",
    reason: reasonOf(refusal),
    writtenAgain,
    wholeLines: lines.pop() === "" && lines.every((line) => JSON.parse(line).serial === "01"),
  }),
);

function isWritten(): Promise<boolean> {
  return issueLog.append(record).then(
    () => true,
    () => false,
  );
}

function reasonOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}
