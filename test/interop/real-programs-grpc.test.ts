/** gRPC for Go, as client and as server, through two sidecars under STRICT, at a port declared `grpc`. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { missingParts } from "../kit/missing-parts.ts";
import { buildRealPrograms, type ProgramsMesh, startProgramsMesh } from "../kit/programs-mesh.ts";
import { until } from "../kit/until.ts";

const skip = missingParts("go");

/** What the client does, and what it says afterwards. */
const CALLS = [
  {
    call: "lockstep",
    title: "a stream of 1,000 messages each way, each answered before the next",
    says: /^1000 messages, header bird=\[grey\], trailer count=\[1000\] blob=\["\\x00\\xff"\]\n$/,
  },
  {
    call: "flood",
    title: "a stream of 1,000 messages each way, as fast as both ends can",
    says: /^1000 messages, header bird=\[grey\], trailer count=\[1000\] blob=\["\\x00\\xff"\]\n$/,
  },
  {
    call: "fail",
    title: "an error with its code, its message and its trailers",
    says: /^FailedPrecondition: told to fail: 100% ü; reason=\[told-to\]\n$/,
  },
  {
    call: "deadline",
    title: "a deadline ends the stream at both ends",
    says: /^DeadlineExceeded: .+; reason=\[\]\nthere: context (canceled|deadline exceeded)\n$/,
  },
  {
    call: "cancel",
    title: "a cancelled stream ends at the other end, too",
    says: /^Canceled: context canceled; reason=\[\]\nthere: context canceled\n$/,
  },
] as const;

describe("gRPC through two sidecars", { skip }, () => {
  let program: string;
  let mesh: ProgramsMesh;

  before(
    async () => {
      program = await buildRealPrograms();
      mesh = await startProgramsMesh("servers", program);
    },
    { timeout: 280_000 },
  );
  after(() => mesh?.stop());

  for (const { call, title, says } of CALLS) {
    test(title, async () => {
      assert.match(await mesh.call(`${program} grpc ${call}`), says);
    });
  }

  test("AP-130 who may not call is told so in gRPC's own way", async () => {
    const { output, errors } = await mesh.stranger.run(program, "grpc", "fail");
    assert.equal(output, "PermissionDenied: RBAC: access denied; reason=[]\n", errors);
  });

  test("the server's sidecar knows who called, and what", async () => {
    await mesh.call(`${program} grpc fail`);
    const entry = await until("an entry", async () =>
      (await mesh.inboundLog("parrot-0")).find(({ decision }) => decision?.verdict === "allow"),
    );
    assert.equal(entry.source_principal, "spiffe://cluster.local/ns/shop/sa/caller");
    assert.deepEqual(
      [entry.protocol as string, entry.method, entry.path, entry.response_code],
      ["HTTP/2", "POST", "/hauberk.example.Parrot/Talk", 200],
    );
  });
});
