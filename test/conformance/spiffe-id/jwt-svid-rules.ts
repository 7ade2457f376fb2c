/** JWT-SVIDs against the keys of one trust domain: tokens are signed here as the cases describe them. */
import { createHmac, type KeyObject, sign } from "node:crypto";
import { validateJwtSvid } from "../../../src/identity/jwt-svid.ts";
import { describeError } from "../../../src/runtime/hauberk-error.ts";
import { ecKeys } from "../../kit/certificate-builder.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type JwtCase = ConformanceCase & {
  /** As it is; absent where one is to be signed. */
  readonly token?: string;
  /** A time is "now", with so many seconds more or less. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signedWith?: string;
  readonly kid?: string | null;
  readonly typ?: string;
  /** Null: any. */
  readonly expectedAudience: readonly string[] | null;
  readonly valid?: boolean;
  readonly id?: string;
  readonly error?: string;
};

/** A part of what go-spiffe says, and ours as it stands in the errors of `jwt-svid.ts`. */
const OURS: readonly (readonly [theirs: RegExp, ours: RegExp])[] = [
  [/unable to parse JWT token/, /cannot be read|not signed with an algorithm of JWT-SVIDs/],
  [/missing subject claim/, /no claim "sub"/],
  [/missing exp claim/, /no claim "exp"/],
  [/has expired/, /has expired/],
  [/invalid subject claim/, /subject is not acceptable/],
  [/missing key id/, /names no key/],
  [/no bundle found/, /no bundle of the trust domain/],
  [/no JWT authority/, /has no key/],
  [/unable to get claims/, /signature does not verify/],
  [/header type not equal/, /neither JWT nor JOSE/],
  [/expected audience|audience claim/, /another audience|not a list of audiences/],
];

const [one, two] = [ecKeys(), ecKeys()];
const KEYS: Readonly<Record<string, KeyObject>> = { key1: one.privateKey, key2: two.privateKey };
const BUNDLES = new Map([
  [
    "trustdomain",
    new Map([
      ["authority1", one.publicKey],
      ["authority2", two.publicKey],
    ]),
  ],
]);

export const jwtSvidRules: TableRunner = table<JwtCase>({
  fields: [
    "token",
    "claims",
    "signedWith",
    "kid",
    "typ",
    "expectedAudience",
    "valid",
    "id",
    "error",
  ],
  async run(test) {
    const now = new Date();
    const token = test.token ?? signedToken(test, now);
    if (token === undefined)
      return { outcome: "skipped", reason: `not understood: signed with ${test.signedWith}` };
    const expected = test.valid === true ? String(test.id) : `refused: ${test.error}`;
    return compare({ expected, got: await validate(token, { test, now }) });
  },
});

async function validate(
  token: string,
  { test, now }: { readonly test: JwtCase; readonly now: Date },
): Promise<string> {
  const audience = test.expectedAudience ?? "any";
  try {
    return (await validateJwtSvid(token, { audience, bundles: BUNDLES, now })).id;
  } catch (error) {
    return `refused: ${inUpstreamWords(describeError(error), test.error ?? "")}`;
  }
}

function inUpstreamWords(said: string, expected: string): string {
  const rows = OURS.filter(([theirs]) => theirs.test(expected));
  return rows.some(([, ours]) => ours.test(said)) ? expected : said;
}

/** Undefined for a key that is not understood. */
function signedToken(
  { claims = {}, signedWith = "", kid, typ }: JwtCase,
  now: Date,
): string | undefined {
  const key = KEYS[signedWith];
  const isSecret = /HS256/.test(signedWith);
  if (key === undefined && !isSecret) return undefined;
  const header = {
    alg: isSecret ? "HS256" : "ES256",
    ...(typeof kid === "string" ? { kid } : {}),
    ...(typ === undefined ? {} : { typ }),
  };
  const times = Object.entries(claims).map(([name, value]) => [name, instantOf(value, now)]);
  const signed = [header, Object.fromEntries(times)]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature =
    key === undefined
      ? createHmac("sha256", signedWith).update(signed).digest()
      : sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** Seconds since the epoch where a claim is a time in words; else the claim as it is. */
function instantOf(value: unknown, now: Date): unknown {
  const [, shift] = (typeof value === "string" && /^now(?:([+-]\d+)s)?$/.exec(value)) || [];
  if (value !== "now" && shift === undefined) return value;
  return Math.floor(now.getTime() / 1000) + Number(shift ?? 0);
}
