/** What go-spiffe finds wrong with certificates, beside what we do: the same finding in other words. */
import { describeError } from "../../../src/runtime/hauberk-error.ts";

/** A part of what go-spiffe says, and ours as it stands in the errors of `identity/`. */
const OURS: readonly (readonly [theirs: RegExp, ours: RegExp])[] = [
  [/no private key found/, /there is no private key/],
  [
    /cannot parse (?:PEM|DER) encoded private key/,
    /the private key cannot be read|there is no private key/,
  ],
  [
    /cannot parse (?:PEM|DER) encoded certificate|no (?:certificates|PEM blocks) found/,
    /a certificate cannot be read|there is no certificate/,
  ],
  [
    /does not match private key|private key validation failed/,
    /the private key is not that of the certificate|there is no private key/,
  ],
  [/leaf certificate (?:must not have CA flag|with CA flag)/, /an authority's own/],
  [/must have 'digitalSignature'/, /not for signatures/],
  [/leaf certificate (?:must not have 'keyCertSign'|with KeyCertSign)/i, /may sign certificates/],
  [/leaf certificate (?:must not have 'cRLSign'|with KeyCrlSign)/i, /may sign revocation lists/],
  [/signing certificate must have CA flag/, /a signing certificate is not a CA's/],
  [/signing certificate must have 'keyCertSign'/, /lacks keyCertSign/],
  [/non-root path/, /names a trust domain, not a workload/],
  [/contains no URI SAN/, /has no URI name/],
  [/more than one URI SAN/, /has \d+ URI names/],
  [/SPIFFE ID: (?!must)|scheme is missing/, /URI name is no identity/],
  [/empty certificates chain/, /the chain is empty/],
  [/no X\.509 bundle (?:found )?for trust domain/, /there is no bundle of the trust domain/],
  [/signed by unknown authority/, /leads to no trusted root/],
  [/has expired|not yet valid/, /expired at|valid only from/],
];

/** What is expected where the error says the same, so that both sides are equal; else the error as it is. */
export function inWordsOf(expected: string | undefined, error: unknown): string {
  const said = describeError(error);
  const rows = OURS.filter(([theirs]) => expected !== undefined && theirs.test(expected));
  return rows.some(([, ours]) => ours.test(said)) ? String(expected) : said;
}
