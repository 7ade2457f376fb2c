/** Who may ask the rate limit service, and how often, by a clock that the tests move. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import type { Caller } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { KnownCallers, MAX_CALLS_PER_SECOND, MAX_COUNTS_PER_SECOND } from "./known-callers.ts";

const mesh = createThrowawayAuthority();

function callerOf(id: string): Caller {
  const certificate = new X509Certificate(mesh.svid(id).certificateChainPem);
  return { remoteAddress: "127.0.0.1:1", certificate, headers: () => [] };
}

function desk() {
  const state = { now: 5_000, isGood: true, asked: 0 };
  const callers = new KnownCallers(
    async ({ certificate }) => {
      state.asked++;
      if (!state.isGood) throw new Error("it is good no more");
      return spiffeIdOfCertificate(certificate ?? assert.fail("no certificate"));
    },
    () => state.now,
  );
  return { state, callers };
}

test("a certificate that was found good is believed for a second, and then judged again", async () => {
  const { state, callers } = desk();
  const api = callerOf("spiffe://cluster.local/ns/shop/sa/api");
  for (let call = 0; call < 10; call++) await callers.admit(api, 1);
  assert.equal(state.asked, 1);
  state.isGood = false;
  state.now += 999;
  await callers.admit(api, 1);
  state.now += 1;
  await assert.rejects(callers.admit(api, 1), /good no more/);
  state.isGood = true;
  await callers.admit(api, 1);
  assert.equal(state.asked, 3);
});

test("no identity asks so often in one second that others wait for it", async () => {
  const { state, callers } = desk();
  const api = callerOf("spiffe://cluster.local/ns/shop/sa/api");
  const pod = callerOf("spiffe://cluster.local/ns/shop/sa/api");
  const other = callerOf("spiffe://cluster.local/ns/shop/sa/other");
  for (let call = 0; call < MAX_CALLS_PER_SECOND; call++)
    await callers.admit(call % 2 === 0 ? api : pod, 1);
  const exhausted = (error: unknown): boolean =>
    error instanceof GrpcStatusError && error.status === "RESOURCE_EXHAUSTED";
  await assert.rejects(callers.admit(api, 1), exhausted);
  await assert.rejects(callers.admit(pod, 1), exhausted, "all its pods together");
  await callers.admit(other, 1);
  state.now += 1_000;
  await callers.admit(api, 1);
});

test("nor about so much", async () => {
  const { state, callers } = desk();
  const api = callerOf("spiffe://cluster.local/ns/shop/sa/api");
  for (let asked = 0; asked < MAX_COUNTS_PER_SECOND; asked += 50) await callers.admit(api, 50);
  await assert.rejects(callers.admit(api, 1), GrpcStatusError);
  state.now += 1_000;
  await callers.admit(api, 50);
});

test("without a certificate nobody asks, whatever else is shown", async () => {
  const { state, callers } = desk();
  const { remoteAddress } = callerOf("spiffe://cluster.local/ns/shop/sa/api");
  await assert.rejects(callers.admit({ remoteAddress, headers: () => ["Bearer x"] }, 1));
  assert.equal(state.asked, 0);
});
