/** Values of policies that are near to given traffic: some match it, some miss it by little. */
import type { Dice } from "./dice.ts";
import type { TrafficFacts } from "./traffic-facts.ts";
import {
  ADDRESSES,
  CLAIM_VALUES,
  HEADER_VALUES,
  HOSTS,
  ISSUERS,
  METHODS,
  NAMESPACES,
  PORTS,
  SERVER_NAMES,
  SERVICE_ACCOUNTS,
  SUBJECTS,
  TRUST_DOMAINS,
} from "./traffic-generator.ts";

/** A value for a field of a source or an operation, or for a key of `when`. */
export type MakeValue = (dice: Dice, facts: TrafficFacts) => string;

export const principalValue: MakeValue = (dice, { connection }) => {
  const told = connection.principal?.slice("spiffe://".length);
  const other = `${dice.pick(TRUST_DOMAINS)}/ns/${dice.pick(NAMESPACES)}/sa/${dice.pick(SERVICE_ACCOUNTS)}`;
  const value = dice.chance(0.85) ? (told ?? other) : other;
  if (dice.chance(0.02)) return `spiffe://${value}`;
  if (dice.chance(0.02)) return `*/${value}`;
  if (dice.chance(0.25)) return inOtherDomain(dice, value);
  return patternOf(dice, value);
};

export const namespaceValue: MakeValue = (dice, { connection }) => {
  const told = /\/ns\/([^/]+)/.exec(connection.principal ?? "")?.[1];
  const value = dice.chance(0.85) ? (told ?? dice.pick(NAMESPACES)) : dice.pick(NAMESPACES);
  if (dice.chance(0.05)) return `${value}/sa`;
  if (dice.chance(0.15)) return `${value.slice(0, 1)}*${value.slice(-1)}`;
  return patternOf(dice, value);
};

export const serviceAccountValue: MakeValue = (dice, { connection }) => {
  const told = /\/ns\/([^/]+)\/(?:.*\/)?sa\/([^/]+)/.exec(connection.principal ?? "");
  const [, namespace = dice.pick(NAMESPACES), account = dice.pick(SERVICE_ACCOUNTS)] = told ?? [];
  const name = dice.chance(0.8) ? account : dice.pick(SERVICE_ACCOUNTS);
  return dice.chance(0.4) ? name : `${namespace}/${name}`;
};

export const trustDomainValue: MakeValue = (dice, { connection }) => {
  const told = connection.principal?.split("/")[2];
  const value = dice.chance(0.8) ? (told ?? dice.pick(TRUST_DOMAINS)) : dice.pick(TRUST_DOMAINS);
  const cut = dice.between(1, value.length - 1);
  return dice.pick([value, value, "*", `${value.slice(0, cut)}*`, `*${value.slice(cut)}`]);
};

export const sourceAddressValue: MakeValue = (dice, { connection }) =>
  addressValue(dice, connection.sourceAddress);

export const remoteAddressValue: MakeValue = (dice, { connection, request }) =>
  addressValue(dice, request?.remoteAddress ?? connection.sourceAddress);

export const destinationAddressValue: MakeValue = (dice, { connection }) =>
  addressValue(dice, connection.destinationAddress);

export const portValue: MakeValue = (dice, { connection }) => {
  const port = dice.chance(0.7) ? connection.destinationPort : dice.pick(PORTS);
  return dice.chance(0.03) ? `0${port}` : `${port}`;
};

export const hostValue: MakeValue = (dice, { request }) =>
  patternOf(dice, near(dice, request?.authority, HOSTS));

export const methodValue: MakeValue = (dice, { request }) =>
  patternOf(dice, near(dice, request?.method, METHODS));

export const serverNameValue: MakeValue = (dice, { connection }) =>
  patternOf(dice, near(dice, connection.serverName, SERVER_NAMES));

export const metadataValue: MakeValue = (dice) => dice.pick(["*", "v", "[v]"]);

export function headerValue(name: string): MakeValue {
  return (dice, { request }) => patternOf(dice, near(dice, headerOf(name, request), HEADER_VALUES));
}

export function claimValue(...path: readonly string[]): MakeValue {
  return (dice, { request }) => {
    const claim = path.reduce<unknown>(memberOf, request?.token);
    const texts = [claim].flat(2).filter((text) => typeof text === "string");
    const told = texts.length === 0 ? undefined : dice.pick(texts);
    return patternOf(dice, near(dice, told, CLAIM_VALUES));
  };
}

export const requestPrincipalValue: MakeValue = (dice, { request }) => {
  const { iss, sub } = request?.token ?? {};
  const issuer = near(dice, textOf(iss), ISSUERS);
  const subject = near(dice, textOf(sub), SUBJECTS);
  const forms = [
    `${issuer}/${subject}`,
    `${issuer}/${subject}`,
    `${issuer}/*`,
    `*/${subject}`,
    `*${issuer.slice(2)}/${subject}`,
    `${issuer}/${subject.slice(0, 2)}*`,
    `*${subject.slice(1)}`,
    `${issuer.slice(0, 3)}*`,
    "*",
    "*/*",
    issuer,
    subject,
  ];
  return dice.pick(forms) || "*";
};

/** A text in one of the shapes of AP-40..AP-42; never empty. */
export function patternOf(dice: Dice, text: string): string {
  const cut = dice.between(0, text.length);
  const forms = [
    text,
    text,
    text,
    `${text.slice(0, cut)}*`,
    `*${text.slice(cut)}`,
    "*",
    `*${text.slice(0, cut)}*`,
    `${text.slice(0, cut)}*${text.slice(cut)}`,
    `${text.slice(0, cut)}.${text.slice(cut + 1)}`,
    dice.chance(0.5) ? text.toUpperCase() : text.toLowerCase(),
    `${text.slice(0, cut)}(+[\\d`,
  ];
  return dice.pick(forms) || dice.pick(["*", "x"]);
}

function near(dice: Dice, told: string | undefined, alphabet: readonly string[]): string {
  return told === undefined || dice.chance(0.15) ? dice.pick(alphabet) : told;
}

function inOtherDomain(dice: Dice, value: string): string {
  const [domain = "", ...path] = value.split("/");
  const other = dice.pick([...TRUST_DOMAINS, `*${domain.slice(3)}`, `${domain.slice(0, 3)}*`, "*"]);
  return [other, ...path].join("/");
}

function addressValue(dice: Dice, told: string): string {
  const address = dice.chance(0.8) ? told : dice.pick(ADDRESSES);
  if (dice.chance(0.4)) return address;
  const bits = address.includes(":") ? 128 : 32;
  const length = dice.pick([0, 8, 24, 31, 32, 64, 96, 104, bits - 1, bits]);
  return `${address}/${Math.min(length, bits)}`;
}

function headerOf(name: string, request: TrafficFacts["request"]): string | undefined {
  if (name === ":path") return request?.path;
  if (name === ":method") return request?.method;
  if (name === ":authority" || name === "host") return request?.authority;
  return request?.headers[name.toLowerCase()];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
