import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { appliedRateLimit } from "../../test/kit/applied-rate-limit.ts";
import { askAdmin } from "../../test/kit/ask-admin.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { rateLimitId } from "../policy/applied-rate-limits.ts";
import { limitPage, sumOfLimit } from "./admin-limit.ts";

test("a sidecar tells what one caller has left, and spends nothing by it", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const mesh = createThrowawayAuthority();
  const application = createServer((_, response) => response.end()).listen(0, LOOPBACK);
  await once(application, "listening");
  const listen = await freePort();
  const limit = appliedRateLimit({ amount: 5, perMs: 60_000, burst: 5, key: ["request.method"] });
  const view = workloadView({
    rootsPem: [mesh.rootPem],
    ports: [inboundPort({ listen, application: portOf(application), mode: "PERMISSIVE" })],
    rateLimits: [limit],
  });
  const adminSocket = join(folder, "admin.sock");
  const svid = mesh.svid(idOf("api"));
  const { sidecar } = await startTestSidecar({ view, svid, adminSocket });
  context.after(async () => {
    await sidecar.close();
    application.close();
    await rm(folder, { recursive: true });
  });
  const left = async (bucket: string): Promise<unknown> => {
    const asked = new URLSearchParams({ limit: rateLimitId(limit), bucket, sharer: "" });
    return JSON.parse((await askAdmin(adminSocket, { path: `/limit?${asked}` })).body).left;
  };
  for (let time = 0; time < 2; time++) await fetch(`http://${LOOPBACK}:${listen}/`);
  assert.deepEqual([await left("GET"), await left("GET"), await left("POST")], [3, 3, 5]);
  const statuses = async (path: string, method = "GET"): Promise<number> =>
    (await askAdmin(adminSocket, { path, method })).status;
  assert.equal(await statuses("/limit"), 400);
  assert.equal(await statuses("/limit?limit=a/b/c&bucket=&sharer="), 404);
  assert.equal(await statuses("/limit?limit=a/b/c&bucket=&sharer=", "POST"), 405);
});

test("of several processes what is left is the sum, and the wait the shortest", () => {
  assert.equal(sumOfLimit([]), undefined);
  assert.deepEqual(
    sumOfLimit([
      { left: 2, waitMs: 0 },
      { left: 0, waitMs: 90 },
    ]),
    { left: 2, waitMs: 0 },
  );
  assert.deepEqual(sumOfLimit([{ left: 0, waitMs: null }]), { left: 0, waitMs: null });
});

test("before anything counts nobody is told anything", () => {
  const asked = new URLSearchParams({ limit: "a/b/c", bucket: "", sharer: "" });
  assert.equal(limitPage(undefined, asked).status, 404);
});
