import assert from "node:assert/strict";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { publicSecureContext } from "./public-secure-context.ts";

test("made once for the same roots, and anew for others", () => {
  const { rootPem } = createThrowawayAuthority();
  const plain = publicSecureContext([]);
  assert.equal(publicSecureContext([]), plain);
  const more = publicSecureContext([rootPem]);
  assert.notEqual(more, plain);
  assert.equal(publicSecureContext([`${rootPem}`]), more);
});
