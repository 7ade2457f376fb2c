/** Keys written into a resource (`jwks`): what istiod's library reads, and whether more is told than must be (JWT-87). */
const NAMED_CURVES: ReadonlySet<unknown> = new Set(["P-256", "P-384", "P-521"]);
const EDWARDS_CURVES: ReadonlySet<unknown> = new Set(["Ed25519", "X25519", "Ed448", "X448"]);

/** Members that a key of each type must have (RFC 7518 section 6, RFC 8037 section 2). */
const REQUIRED = {
  RSA: ["n", "e"],
  EC: ["x", "y"],
  OKP: ["x"],
  oct: ["k"],
} as const;
type KeyType = keyof typeof REQUIRED;

const RSA_FACTORS = ["p", "q", "dp", "dq", "qi"];
/** All that a verifier reads; of `oct` keys what is needed is the secret itself (JWT-30). */
const VERIFYING_MEMBERS: Readonly<Record<KeyType, readonly string[]>> = {
  RSA: verifyingMembers("RSA"),
  EC: verifyingMembers("EC", "crv"),
  OKP: verifyingMembers("OKP", "crv"),
  oct: verifyingMembers("oct"),
};
const DESCRIBING_TEXTS = ["kid", "alg", "use", "x5t", "x5t#S256"];
const DESCRIBING_LISTS = ["key_ops", "x5c"];

export interface WrittenKeySet {
  /** Indexes, from 0, of the keys that hold what is secret. */
  readonly privateKeys: readonly number[];
  /** The set as JSON, with what a verifier needs and nothing else. */
  readonly verifyingJwks: string;
}

/**
 * Reads `{"keys": [...]}`, or one key alone.
 *
 * @returns or, as a text, what is wrong; it never repeats the text of a key
 */
export function readKeySet(text: string): WrittenKeySet | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'is not JSON; expected {"keys": [...]}';
  }
  if (!isObject(value)) return 'is not a JSON object; expected {"keys": [...]}';
  const keys = Object.hasOwn(value, "keys") ? value["keys"] : [value];
  if (!Array.isArray(keys)) return '"keys" is not a list';
  for (const [index, key] of keys.entries()) {
    const problem = keyProblem(key);
    if (problem !== undefined) return `key ${index} ${problem}`;
  }
  return summary(keys.filter(isObject));
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function summary(keys: readonly JsonObject[]): WrittenKeySet {
  const isPrivate = (key: JsonObject): boolean => key["kty"] === "oct" || Object.hasOwn(key, "d");
  const stripped = keys.map((key) => {
    const type = key["kty"];
    const members = isKeyType(type) ? VERIFYING_MEMBERS[type] : [];
    return Object.fromEntries(Object.entries(key).filter(([member]) => members.includes(member)));
  });
  return {
    privateKeys: keys.flatMap((key, index) => (isPrivate(key) ? [index] : [])),
    verifyingJwks: JSON.stringify({ keys: stripped }),
  };
}

function verifyingMembers(type: KeyType, ...others: readonly string[]): readonly string[] {
  return ["kty", "kid", "alg", "use", "key_ops", ...others, ...REQUIRED[type]];
}

function keyProblem(key: unknown): string | undefined {
  if (!isObject(key)) return "is not an object";
  const type = key["kty"];
  if (!isKeyType(type)) return 'has no known "kty"; expected one of RSA, EC, OKP, oct';
  const unreadable = [...REQUIRED[type], ...privateMembersOf(key, type)].find(
    (member) => !isBase64(key[member]),
  );
  if (unreadable !== undefined) return `of type ${type} has no good "${unreadable}"`;
  const curves = { EC: NAMED_CURVES, OKP: EDWARDS_CURVES, RSA: undefined, oct: undefined }[type];
  if (curves !== undefined && !curves.has(key["crv"])) return `of type ${type} has no known "crv"`;
  return descriptionProblem(key);
}

/** Of a key without "d" the others are ordinary members, which nobody reads. */
function privateMembersOf(key: JsonObject, type: KeyType): readonly string[] {
  if (type === "oct" || !Object.hasOwn(key, "d")) return [];
  if (type !== "RSA") return ["d"];
  return ["d", ...RSA_FACTORS.filter((member) => isGiven(key, member))];
}

/** What is told about a key, besides the key itself (RFC 7517 section 4). */
function descriptionProblem(key: JsonObject): string | undefined {
  const text = DESCRIBING_TEXTS.find((name) => isGiven(key, name) && typeof key[name] !== "string");
  if (text !== undefined) return `has a "${text}" that is not a text`;
  const list = DESCRIBING_LISTS.find((name) => isGiven(key, name) && !isTexts(key[name]));
  return list === undefined ? undefined : `has a "${list}" that is not a list of texts`;
}

function isGiven(key: JsonObject, name: string): boolean {
  return key[name] !== undefined && key[name] !== null;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isKeyType(type: unknown): type is KeyType {
  return typeof type === "string" && Object.hasOwn(REQUIRED, type);
}

/** Of either alphabet, but not of both; padded as it has to be, or not at all. */
function isBase64(value: unknown): boolean {
  if (typeof value !== "string" || !/^(?:[\w-]+|[A-Za-z0-9+/]+)={0,2}$/.test(value)) return false;
  return value.endsWith("=") ? value.length % 4 === 0 : value.length % 4 !== 1;
}
