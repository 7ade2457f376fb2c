import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { type RecordedLog, recordedLog } from "../../../test/kit/recorded-log.ts";
import { sampleView } from "../../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import type { X509Svid } from "../../identity/x509-svid.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { CERTIFICATE_FILE, KEY_FILE, ProxylessFiles } from "./proxyless-files.ts";

const API = "spiffe://cluster.local/ns/shop/sa/api";
const mesh = createThrowawayAuthority();

interface Fixture {
  readonly folder: string;
  readonly svid: WatchedValue<X509Svid | undefined>;
  readonly files: ProxylessFiles;
  readonly log: RecordedLog;
  read(file: string): Promise<string>;
}

async function newFiles(
  context: TestContext,
  svid = new WatchedValue<X509Svid | undefined>(mesh.svid(API)),
): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), "proxyless-"));
  const view = sampleView({ name: "shop/api-0", identity: API, rootPem: mesh.rootPem });
  const views = new WatchedValue<WorkloadView | undefined>(view);
  const log = recordedLog();
  const files = new ProxylessFiles({ settings: { folder, access: "owner" }, svid, views, log });
  context.after(async () => {
    await files.close();
    await rm(folder, { recursive: true });
  });
  return { folder, svid, files, log, read: (file) => readFile(join(folder, file), "utf8") };
}

/** Renewed as soon as somebody has read it. */
class OutdatedAtOnce extends WatchedValue<X509Svid | undefined> {
  readonly renewed = mesh.svid(API);
  #isRead = false;

  override get current(): X509Svid | undefined {
    const read = super.current;
    if (!this.#isRead) {
      this.#isRead = true;
      this.set(this.renewed);
    }
    return read;
  }
}

test("a certificate that is renewed while the first is being written is not missed", async (context) => {
  const svid = new OutdatedAtOnce(mesh.svid(API));
  const { renewed } = svid;
  const { files, read } = await newFiles(context, svid);
  await files.open();
  await eventually(
    "the renewed certificate",
    async () => (await read(CERTIFICATE_FILE)) === renewed.certificateChainPem,
  );
  assert.equal(await read(KEY_FILE), renewed.privateKeyPem);
});

test("what could not be written is written later, though nothing changes any more", async (context) => {
  const { folder, svid, files, log, read } = await newFiles(context);
  await files.open();
  const inTheWay = join(folder, CERTIFICATE_FILE);
  await rm(inTheWay);
  await mkdir(inTheWay);
  const renewed = mesh.svid(API);
  svid.set(renewed);
  await eventually("a failure", () => log.find("the workload's files are not renewed")[0]);
  await rm(inTheWay, { recursive: true });
  await eventually("the renewed certificate", async () => {
    const written = await read(CERTIFICATE_FILE).catch(() => undefined);
    return written === renewed.certificateChainPem;
  });
});

test("files that cannot be written at first are the opener's to hear of, and nothing is watched then", async (context) => {
  const { folder, svid, files, log, read } = await newFiles(context);
  const inTheWay = join(folder, CERTIFICATE_FILE);
  await mkdir(inTheWay);
  const first = svid.current;
  await assert.rejects(files.open());
  await rm(inTheWay, { recursive: true });
  svid.set(mesh.svid(API));
  await files.close();
  assert.equal(await read(KEY_FILE), first?.privateKeyPem);
  assert.deepEqual(log.lines, []);
});
