/** A short text that differs where what it was made of does: in metadata it makes Envoy take up anew what it would keep. */
import { createHash } from "node:crypto";
import type { Trust } from "../policy/workload-view.ts";
import { remembered } from "./remembered.ts";

const CHARACTERS = 16;

export function fingerprint(value: unknown): string {
  const digest = createHash("sha256").update(JSON.stringify(value)).digest("base64url");
  return digest.slice(0, CHARACTERS);
}

const trustMetadata: (trust: Trust) => { readonly trust: string } = remembered((trust) => {
  const { taintedAuthorities: _, ...trusted } = trust;
  return { trust: fingerprint(trusted) };
});

/** Another one whenever somebody else is trusted: connections that stand are judged by nobody, and have to end. */
export function trustFingerprint(trust: Trust): string {
  return trustMetadata(trust).trust;
}
