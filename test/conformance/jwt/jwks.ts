/**
 * Where istiod finds keys, from which addresses it takes none, and what it takes for a key set: asked of the control plane's own
 * functions, over HTTP. Whether a set's keys are any good is asked later there, so it is no matter of the table.
 */
import { BlockList, isIPv6 } from "node:net";
import { join } from "node:path";
import { keyAddressProblem } from "../../../src/api/key-address-rules.ts";
import { FetchDocumentError } from "../../../src/control/key-sets/fetch-document.ts";
import { findKeySet } from "../../../src/control/key-sets/find-key-set.ts";
import { ecKeys } from "../../kit/certificate-builder.ts";
import { readJson } from "../networkpolicy.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { fetchAllowed, withKeyServer } from "./key-server.ts";

type KeySetCase = ConformanceCase & {
  /** Of a comparison. */
  readonly old?: string;
  readonly new?: string;
  readonly changed?: boolean;
  /** What an address serves. */
  readonly body?: string;
  readonly valid?: boolean;
  readonly ip?: string;
  readonly blocked?: boolean;
  readonly pilotEnv?: Readonly<Record<string, string>>;
  readonly issuer?: string;
  readonly expectedJwksURI?: string;
  readonly error?: boolean;
  readonly jwksUri?: string;
  readonly expected?: { readonly localJwks?: string };
};

interface MockIssuer {
  readonly "openid-configuration": { readonly path: string; readonly jwks_uri: string };
}

/** Stands for the origin of the mock issuer. */
const MOCK = /\$\{mock\}/;
const NEARBY = new BlockList();
for (const [network, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  NEARBY.addSubnet(network, bits);
NEARBY.addSubnet("fc00::", 7, "ipv6");
NEARBY.addAddress("::1", "ipv6");

export const jwks: TableRunner = table<KeySetCase>({
  fields: [
    ...(["old", "new", "changed", "body", "valid", "ip", "blocked", "pilotEnv"] as const),
    ...(["issuer", "expectedJwksURI", "error", "jwksUri", "expected"] as const),
  ],
  exclusions: [
    {
      reason:
        "compares two texts to tell whether istiod pushes: here views change with the keys that verify something, and the table's verify nothing (JWT-82)",
      applies: (test) => test.old !== undefined && test.new !== undefined,
    },
    {
      reason:
        "ranges that istiod is told not to ask: ours is told which ones beside the public it may (JWT-85)",
      applies: ({ pilotEnv }) => pilotEnv?.["BLOCKED_CIDRS_IN_JWKS_URIS"] !== undefined,
    },
    {
      reason:
        "loopback and private addresses are asked only where the mesh configuration lists them: a deliberate difference (JWT-85)",
      applies: ({ ip, blocked }) =>
        ip !== undefined && blocked === false && NEARBY.check(ip, isIPv6(ip) ? "ipv6" : "ipv4"),
    },
    {
      reason:
        "keys that were never there are told as such, instead of a generated set: a deliberate difference (JWT-82, JWT-83)",
      applies: ({ expected }) => expected?.localJwks !== undefined,
    },
  ],
  async run(test, folder) {
    const { body, valid, ip, blocked, issuer } = test;
    if (body !== undefined) return runFormat(body, valid === true);
    if (ip !== undefined) return runAddress(ip, blocked === true);
    if (issuer !== undefined) return runDiscovery(issuer, test, folder);
    return { outcome: "skipped", reason: "not understood: it has nothing to ask" };
  },
});

async function runFormat(body: string, valid: boolean): Promise<CaseOutcome> {
  const problem = await withKeyServer(
    () => body,
    ({ origin }) => problemOf(findKeySet({ from: "uri", uri: `${origin}/keys` }, fetchAllowed)),
  );
  return compare({ expected: valid ? "a key set" : "no key set", got: kindOf(problem) });
}

function kindOf(problem: string | undefined): string {
  if (problem === undefined || /has no key that tokens can be verified with/.test(problem))
    return "a key set";
  return /is no key set/.test(problem) ? "no key set" : problem;
}

function runAddress(ip: string, blocked: boolean): CaseOutcome {
  const told = (refused: boolean): string => (refused ? "refused" : "asked");
  const problem = keyAddressProblem(ip, []);
  return compare({ expected: told(blocked), got: told(problem !== undefined) });
}

/** A good key is served wherever it is asked for: the place alone is judged. */
function runDiscovery(
  issuer: string,
  { expectedJwksURI = "", error }: KeySetCase,
  folder: string,
): Promise<CaseOutcome> {
  const fixture = readJson<MockIssuer>(join(folder, "fixtures/mock-issuer.json"));
  const { path, jwks_uri: written } = fixture["openid-configuration"];
  const keys = JSON.stringify({ keys: [ecKeys().publicKey.export({ format: "jwk" })] });
  return withKeyServer(
    (asked, origin) =>
      asked === path ? JSON.stringify({ jwks_uri: written.replace(MOCK, origin) }) : keys,
    async ({ origin, asked }) => {
      const source = { from: "issuer", issuer: issuer.replace(MOCK, origin) } as const;
      const problem = await problemOf(findKeySet(source, fetchAllowed));
      return compare({
        expected: error === true ? "refused" : `keys of ${expectedJwksURI.replace(MOCK, origin)}`,
        got: problem === undefined ? `keys of ${origin}${asked.at(-1)}` : "refused",
      });
    },
  );
}

async function problemOf(found: Promise<string>): Promise<string | undefined> {
  try {
    await found;
    return undefined;
  } catch (error) {
    if (error instanceof FetchDocumentError) return error.message;
    throw error;
  }
}
