/** A rule as one English sentence with its AND and OR, so that a reader need not know how its lists combine (AP-30..AP-32). */
import {
  type AuthorizationAction,
  type AuthorizationCondition,
  type AuthorizationOperation,
  type AuthorizationRule,
  type AuthorizationSource,
  OPERATION_FIELDS,
  type OperationField,
  SOURCE_FIELDS,
  type SourceField,
} from "../api/authorization-policy.ts";
import { isPathTemplate } from "../api/path-template.ts";
import { parseStringMatch } from "../api/string-match.ts";
import { isWhenKey, WHEN_KEYS, type WhenValues } from "../api/when-keys.ts";

export interface SentenceContext {
  readonly action: AuthorizationAction;
  /** The policy's own: `serviceAccounts` may leave it out (AP-47). */
  readonly namespace: string;
}

/** `Allows when the principal is a AND the method is (GET OR POST).` */
export function ruleSentence(
  rule: AuthorizationRule,
  { action, namespace }: SentenceContext,
): string {
  const parts = [
    alternatives(rule.from.map((source) => sourcePhrases(source, namespace))),
    alternatives(rule.to.map(operationPhrases)),
    ...rule.when.map((condition) => conjunction(conditionPhrases(condition))),
  ].filter((part) => part !== undefined);
  const [first] = parts;
  if (first === undefined) return `${VERBS[action]} always.`;
  const all = parts.length === 1 ? first.text : parts.map(grouped("AND")).join(" AND ");
  return `${VERBS[action]} when ${all}.`;
}

const VERBS: Readonly<Record<AuthorizationAction, string>> = {
  ALLOW: "Allows",
  DENY: "Denies",
  AUDIT: "Records",
  CUSTOM: "Asks the authorizer",
};

/** Words, and the word that joins them at the top, if any. */
interface Phrase {
  readonly text: string;
  readonly joinedBy?: "AND" | "OR";
}

/** @returns undefined when nothing is demanded: there is no alternative, or one that demands nothing */
function alternatives(items: readonly (readonly Phrase[])[]): Phrase | undefined {
  const phrases = items.map(conjunction);
  const demanding = phrases.filter((phrase) => phrase !== undefined);
  if (demanding.length < phrases.length) return undefined;
  return joined(demanding, "OR");
}

function conjunction(phrases: readonly Phrase[]): Phrase | undefined {
  return joined(phrases, "AND");
}

function joined(phrases: readonly Phrase[], by: "AND" | "OR"): Phrase | undefined {
  if (phrases.length <= 1) return phrases[0];
  return { text: phrases.map(grouped(by)).join(` ${by} `), joinedBy: by };
}

/** In brackets where another word joins it than the one around it. */
function grouped(around: "AND" | "OR"): (phrase: Phrase) => string {
  return ({ text, joinedBy }) =>
    joinedBy === undefined || joinedBy === around ? text : `(${text})`;
}

function sourcePhrases(source: AuthorizationSource, namespace: string): Phrase[] {
  return SOURCE_FIELDS.flatMap((field) => {
    const { noun, negated, phrase } = SOURCE_NOUNS[field];
    const values = (source[field] ?? []).map((value) =>
      noun === "service account" && !value.includes("/") ? `${namespace}/${value}` : value,
    );
    return fieldPhrases(noun, { values, negated, phrase });
  });
}

function operationPhrases(operation: AuthorizationOperation): Phrase[] {
  return OPERATION_FIELDS.flatMap((field) => {
    const { noun, negated, phrase } = OPERATION_NOUNS[field];
    return fieldPhrases(noun, { values: operation[field] ?? [], negated, phrase });
  });
}

function conditionPhrases({ key, values, notValues }: AuthorizationCondition): Phrase[] {
  const { noun, phrase } = conditionNoun(key);
  return [
    ...fieldPhrases(noun, { values, phrase, negated: false }),
    ...fieldPhrases(noun, { values: notValues, phrase, negated: true }),
  ];
}

type Verb = keyof typeof NEGATIONS;
type ValuePhrase = (value: string) => readonly [verb: Verb, text: string];

interface FieldWords {
  readonly noun: string;
  readonly negated: boolean;
  readonly phrase: ValuePhrase;
}

const VOWEL = /^[aeiou]/;

function fieldPhrases(
  noun: string,
  { values, negated, phrase }: Omit<FieldWords, "noun"> & { readonly values: readonly string[] },
): [] | [Phrase] {
  const phrases = values.map(phrase);
  const verb = phrases.every(([other]) => other === phrases[0]?.[0]) ? phrases[0]?.[0] : undefined;
  if (phrases.length === 0) return [];
  if (values.includes("*") && verb !== "fits") {
    return [
      {
        text: negated ? `there is no ${noun}` : `there is ${VOWEL.test(noun) ? "an" : "a"} ${noun}`,
      },
    ];
  }
  if (verb === undefined) {
    const text = `the ${noun} ${phrases.map((one) => one.join(" ")).join(" OR ")}`;
    return [negated ? { text: `NOT (${text})` } : { text, joinedBy: "OR" }];
  }
  const texts = phrases.map(([, text]) => text);
  const choice = texts.length === 1 ? texts.join("") : `(${texts.join(" OR ")})`;
  return [{ text: `the ${noun} ${negated ? NEGATIONS[verb] : verb} ${choice}` }];
}

const NEGATIONS = {
  is: "is not",
  "is in": "is not in",
  "starts with": "does not start with",
  "ends with": "does not end with",
  fits: "does not fit",
} as const;

/** `is a`, `starts with a`, `ends with a`. */
function stringPhrase(value: string): readonly [verb: Verb, text: string] {
  const match = parseStringMatch(value);
  switch (match.kind) {
    case "present":
      return ["is", "anything"];
    case "exact":
      return ["is", match.text];
    case "prefix":
      return ["starts with", match.text];
    case "suffix":
      return ["ends with", match.text];
  }
}

const pathPhrase: ValuePhrase = (value) =>
  isPathTemplate(value) ? ["fits", value] : stringPhrase(value);
const plainPhrase: ValuePhrase = (value) => ["is", value];
const rangePhrase: ValuePhrase = (value) => [value.includes("/") ? "is in" : "is", value];

function field(noun: string, phrase: ValuePhrase): FieldWords {
  return { noun, negated: false, phrase };
}

function not(words: FieldWords): FieldWords {
  return { ...words, negated: true };
}

const PRINCIPAL = field("principal", stringPhrase);
const NAMESPACE = field("caller's namespace", stringPhrase);
const SERVICE_ACCOUNT = field("service account", plainPhrase);
const TRUST_DOMAIN = field("trust domain", stringPhrase);
const END_USER = field("end user", stringPhrase);
const ADDRESS = field("caller's address", rangePhrase);
const REMOTE_ADDRESS = field("caller's address by X-Forwarded-For", rangePhrase);
const HOST = field("host", stringPhrase);
const PORT = field("port", plainPhrase);
const METHOD = field("method", stringPhrase);
const PATH = field("path", pathPhrase);

const SOURCE_NOUNS: Readonly<Record<SourceField, FieldWords>> = {
  principals: PRINCIPAL,
  notPrincipals: not(PRINCIPAL),
  requestPrincipals: END_USER,
  notRequestPrincipals: not(END_USER),
  namespaces: NAMESPACE,
  notNamespaces: not(NAMESPACE),
  serviceAccounts: SERVICE_ACCOUNT,
  notServiceAccounts: not(SERVICE_ACCOUNT),
  ipBlocks: ADDRESS,
  notIpBlocks: not(ADDRESS),
  remoteIpBlocks: REMOTE_ADDRESS,
  notRemoteIpBlocks: not(REMOTE_ADDRESS),
  trustDomains: TRUST_DOMAIN,
  notTrustDomains: not(TRUST_DOMAIN),
};

const OPERATION_NOUNS: Readonly<Record<OperationField, FieldWords>> = {
  hosts: HOST,
  notHosts: not(HOST),
  ports: PORT,
  notPorts: not(PORT),
  methods: METHOD,
  notMethods: not(METHOD),
  paths: PATH,
  notPaths: not(PATH),
};

const VALUE_PHRASES: Readonly<Record<WhenValues, ValuePhrase>> = {
  text: stringPhrase,
  domain: stringPhrase,
  account: plainPhrase,
  address: rangePhrase,
  port: plainPhrase,
};
const HEADER = /^request\.headers\[(.+)\]$/;
const CLAIM = /^request\.auth\.claims\[(.+)\]$/;

function conditionNoun(key: string): FieldWords {
  const header = HEADER.exec(key)?.[1];
  if (header !== undefined) return field(`header ${header}`, stringPhrase);
  const claim = CLAIM.exec(key)?.[1];
  if (claim !== undefined) return field(`token claim ${claim.replaceAll("][", ".")}`, stringPhrase);
  if (!isWhenKey(key)) return field(key, stringPhrase);
  const { noun, values } = WHEN_KEYS[key];
  return field(noun, VALUE_PHRASES[values]);
}
