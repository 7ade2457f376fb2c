/** Whom a chain proves, against bundles of trust domains: certificates are made here as the cases describe them. */
import type { X509Certificate } from "node:crypto";
import { trustDomainOf } from "../../../src/identity/spiffe-id.ts";
import { spiffeIdOfLeaf } from "../../../src/identity/svid-rules.ts";
import { UntrustedChainError, verifyChain } from "../../../src/identity/verify-chain.ts";
import {
  type BuiltCertificate,
  buildCertificate,
  type Usage,
} from "../../kit/certificate-builder.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { inWordsOf } from "./svid-problem.ts";

type RulesCase = ConformanceCase & {
  /** What the leaf is, in words; a list when it is empty. */
  readonly chain: string | readonly [];
  readonly bundle?: string | null;
  readonly base?: string;
  readonly errorContains?: string;
  readonly valid?: boolean;
};

type Bundles = ReadonlyMap<string, readonly X509Certificate[]>;

/** What the words of a case come to. */
interface Described {
  readonly chain: readonly X509Certificate[];
  readonly now: Date;
}

const DOMAIN = "domain1.test";
const SECOND_MS = 1_000;
const now = new Date(Math.floor(Date.now() / SECOND_MS) * SECOND_MS);
const notAfter = new Date(now.getTime() + 3_600 * SECOND_MS);
const authorityOne = buildCertificate({ subject: { organization: "CA1" } });
const authorityTwo = buildCertificate({ subject: { organization: "CA2" } });

export const x509SvidRules: TableRunner = table<RulesCase>({
  fields: ["chain", "bundle", "base", "errorContains", "valid"],
  exclusions: [
    {
      reason: "bundles cannot be left out where a chain is verified: the type demands them",
      applies: ({ bundle }) => bundle === null,
    },
  ],
  run({ chain, bundle, errorContains, valid }) {
    const described = describeChain(chain);
    const roots = describeBundles(bundle ?? DOMAIN);
    if (described === undefined || roots === undefined)
      return { outcome: "skipped", reason: `not understood: ${JSON.stringify({ chain, bundle })}` };
    const expected = valid === true ? "verified" : `refused: ${errorContains}`;
    return compare({ expected, got: verify(described, { roots, errorContains }) });
  },
});

function verify(
  { chain, now }: Described,
  { roots, errorContains }: { readonly roots: Bundles; readonly errorContains: string | undefined },
): string {
  try {
    verifySvid(chain, { roots, now });
    return "verified";
  } catch (error) {
    return `refused: ${inWordsOf(errorContains, error)}`;
  }
}

/** By the roots of the identity's own trust domain, and by no other's. */
function verifySvid(
  chain: readonly X509Certificate[],
  { roots: bundles, now }: { readonly roots: Bundles; readonly now: Date },
): void {
  const [leaf] = chain;
  if (leaf === undefined) throw new UntrustedChainError("the chain is empty");
  const trustDomain = trustDomainOf(spiffeIdOfLeaf(leaf));
  const roots = bundles.get(trustDomain);
  if (roots === undefined)
    throw new UntrustedChainError(`there is no bundle of the trust domain ${trustDomain}`);
  verifyChain(chain, { roots, now });
}

/** Undefined for words that are not understood. */
function describeBundles(words: string): Bundles | undefined {
  const one = authorityOne.certificate;
  const known: Readonly<Record<string, Bundles>> = {
    [DOMAIN]: new Map([[DOMAIN, [one]]]),
    "empty bundle source": new Map(),
    [`${DOMAIN} without authorities`]: new Map([[DOMAIN, []]]),
    "only domain2.test": new Map([["domain2.test", [one]]]),
    [`${DOMAIN} with the roots of CA2`]: new Map([[DOMAIN, [authorityTwo.certificate]]]),
  };
  return known[words];
}

/** Undefined for words that are not understood. */
function describeChain(words: RulesCase["chain"]): Described | undefined {
  if (typeof words !== "string") return { chain: [], now };
  if (/\b(?:no|without)\b.*\bURI SANs?$/.test(words)) return leafWith({ uris: [] });
  if (/\b(?:two|2|more than one|multiple|several)\b.*\bURI SANs?$/.test(words))
    return leafWith({ uris: [`spiffe://${DOMAIN}/workload`, `spiffe://${DOMAIN}/other`] });
  const uri = /^(?:leaf with )?URI SAN (\S+)(?: \(no path\))?$/.exec(words)?.[1];
  if (uri !== undefined) return leafWith({ uris: [uri.replace("<td>", DOMAIN)] });
  const rest = /^leaf1(?<rest>.*)$/.exec(words)?.groups?.["rest"];
  if (rest === "") return leafWith({});
  if (rest === " with CA=true") return leafWith({ authority: {} });
  const usage = /^ \+ (keyCertSign|cRLSign)$/.exec(rest ?? "")?.[1];
  if (usage !== undefined) return leafWith({ usage: usageOf(usage) });
  const time = /^, verification time = (notAfter|notBefore) ([+-]) (\d+)s$/.exec(rest ?? "");
  return time === null ? undefined : { ...leafWith({}), now: instant(time) };
}

function usageOf(further: string): readonly Usage[] {
  return ["digitalSignature", further === "cRLSign" ? "cRLSign" : "keyCertSign"];
}

function instant([, from, sign, seconds]: readonly string[]): Date {
  const start = from === "notAfter" ? notAfter : now;
  return new Date(start.getTime() + (sign === "-" ? -1 : 1) * Number(seconds) * SECOND_MS);
}

function leafWith({
  uris = [`spiffe://${DOMAIN}/workload`],
  authority = false,
  usage = ["digitalSignature"],
}: {
  readonly uris?: readonly string[];
  readonly authority?: false | Record<string, never>;
  readonly usage?: readonly Usage[];
}): Described {
  const leaf: BuiltCertificate = buildCertificate({
    subject: {},
    issuer: authorityOne,
    notBefore: now,
    notAfter,
    authority,
    usage,
    uris,
  });
  return { chain: [leaf.certificate], now };
}
