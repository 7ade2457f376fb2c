/** Checks that whoever uses the pod's HTTP proxy was given the pod's own password. RFC 7617. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { HeaderLookup } from "../telemetry/logged-call.ts";

const BASIC = /^basic +([a-z0-9+/]+=*)$/i;
const MAX_CREDENTIALS_CHARACTERS = 1_024;

export type ProxyCredentials = (headers: HeaderLookup) => "accepted" | "refused";

/** Compares in constant time: hashes, so that not even the length is told. */
export function proxyCredentials(expected: {
  readonly user: string;
  readonly password: string;
}): ProxyCredentials {
  const digest = sha256(`${expected.user}:${expected.password}`);
  return (headers) => {
    const value = headers.get("proxy-authorization"); // several, joined, are no credentials
    if (value === undefined || value.length > MAX_CREDENTIALS_CHARACTERS) return "refused";
    const given = Buffer.from(BASIC.exec(value.trim())?.[1] ?? "", "base64");
    return timingSafeEqual(sha256(given), digest) ? "accepted" : "refused";
  };
}

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
