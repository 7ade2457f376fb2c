import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../runtime/clock.ts";
import { SERVED_KINDS } from "../api-server/kinds/served-kinds.ts";
import { ObjectStore } from "../api-server/objects/object-store.ts";
import { CacertsSecret } from "./cacerts-secret.ts";
import { kindOf } from "./object-key.ts";

test("the files say what the Secret says, and nothing that an earlier one said", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const store = new ObjectStore({ kinds: SERVED_KINDS, clock: systemClock, newUid: () => "" });
  const cacerts = new CacertsSecret(folder, store);
  const kind = kindOf({ apiVersion: "v1", kind: "Secret" }, SERVED_KINDS);
  assert.ok(kind);
  const place = { kind, namespace: "istio-system", name: "cacerts" };
  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    const data = Object.fromEntries(
      Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")]),
    );
    const metadata = { namespace: place.namespace, name: place.name };
    const after = { apiVersion: "v1", kind: "Secret", metadata, data };
    store.commit({ ...place, before: store.get(place), after });
    await cacerts.write();
  };

  await cacerts.write();
  assert.equal(cacerts.folder, undefined);
  assert.deepEqual(await readdir(folder), []);

  const first = { "ca-cert.pem": "1", "ca-key.pem": "2", "cert-chain.pem": "3" };
  await write({ ...first, "root-cert.pem": "4", "other.pem": "5" });
  assert.equal(cacerts.folder, folder);
  assert.deepEqual((await readdir(folder)).sort(), [...Object.keys(first), "root-cert.pem"]);
  assert.equal((await stat(join(folder, "ca-key.pem"))).mode & 0o777, 0o600);

  await write({ "ca-cert.pem": "6", "ca-key.pem": "7", "root-cert.pem": "8" });
  assert.deepEqual((await readdir(folder)).sort(), ["ca-cert.pem", "ca-key.pem", "root-cert.pem"]);
  assert.equal(await readFile(join(folder, "ca-key.pem"), "utf8"), "7");

  store.commit({ ...place, before: store.get(place), after: undefined });
  await cacerts.write();
  assert.equal(cacerts.folder, undefined);
  assert.deepEqual(await readdir(folder), []);
});
