/**
 * Whether one rule holds for every request that another holds for. Told from what is written alone: where it says yes that is
 * certain, and where it cannot be sure it says no. Pure.
 */
import type { WrittenRule } from "./authorization-rules.ts";
import type { Field } from "./field.ts";

/** Fields whose values may begin or end with `*` (AP-42..AP-44); values of others are compared as they are. */
const OF_PATTERNS: readonly string[] = [
  "principals",
  "requestPrincipals",
  "namespaces",
  "hosts",
  "methods",
  "paths",
];
/** Whoever has any of these has proved an identity. */
const OF_IDENTITY: readonly string[] = ["principals", "namespaces", "serviceAccounts"];
const PRINCIPAL = /^[^*/]+\/ns\/([^*/]+)\/sa\/[^*/]+$/;

export function coversRule(wide: WrittenRule, narrow: WrittenRule): boolean {
  return (
    coversAlternatives(wide.sources, narrow.sources) &&
    coversAlternatives(wide.operations, narrow.operations) &&
    wide.conditions.every((one) => narrow.conditions.some((other) => coversCondition(one, other)))
  );
}

/** None at all stand for any. */
function coversAlternatives(wide: readonly Field[], narrow: readonly Field[]): boolean {
  if (wide.length === 0) return true;
  return (
    narrow.length > 0 && narrow.every((one) => wide.some((other) => coversAlternative(other, one)))
  );
}

function coversAlternative(wide: Field, narrow: Field): boolean {
  return [...wide.entries].every(([name, { texts }]) =>
    name.startsWith("not")
      ? areWithin(texts, narrow.at(name).texts)
      : coversValues(name, texts, narrow),
  );
}

function coversValues(name: string, wide: readonly string[], narrow: Field): boolean {
  const isCovered = (value: string): boolean =>
    wide.some((pattern) =>
      OF_PATTERNS.includes(name) ? coversPattern(pattern, value, name) : pattern === value,
    );
  const values = narrow.at(name).texts;
  if (values.length > 0) return values.every(isCovered);
  if (name === "principals" && wide.includes("*"))
    return OF_IDENTITY.some((one) => narrow.at(one).size > 0);
  if (name !== "namespaces") return false;
  const namespaces = narrow.at("principals").texts.map((one) => PRINCIPAL.exec(one)?.[1]);
  return namespaces.length > 0 && namespaces.every((one) => one !== undefined && isCovered(one));
}

function coversCondition(wide: Field, narrow: Field): boolean {
  if (wide.at("key").text !== narrow.at("key").text) return false;
  const [values, others] = [wide.at("values").texts, narrow.at("values").texts];
  const isWithin = values.length === 0 || (others.length > 0 && areWithin(others, values));
  return isWithin && areWithin(wide.at("notValues").texts, narrow.at("notValues").texts);
}

/** A value of each field is there, or is a pattern; hosts are compared without case (AP-52). */
function coversPattern(wide: string, narrow: string, field: string): boolean {
  const [pattern, value] =
    field === "hosts" ? [wide.toLowerCase(), narrow.toLowerCase()] : [wide, narrow];
  if (pattern === value || pattern === "*") return true;
  if (`${pattern}${value}`.includes("{")) return false;
  const isOneStar = pattern.indexOf("*") === pattern.lastIndexOf("*");
  if (!isOneStar) return false;
  if (pattern.endsWith("*")) {
    const isSuffix = value.startsWith("*");
    return !isSuffix && value.replace(/\*$/, "").startsWith(pattern.slice(0, -1));
  }
  if (!pattern.startsWith("*")) return false;
  const isPrefix = value.endsWith("*");
  return !isPrefix && value.replace(/^\*/, "").endsWith(pattern.slice(1));
}

function areWithin(values: readonly string[], others: readonly string[]): boolean {
  return values.every((one) => others.includes(one));
}
