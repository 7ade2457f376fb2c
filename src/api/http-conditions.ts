/** Which conditions of a rule are of HTTP, so that they cannot be asked where bytes are carried as TCP (AP-60, AP-62). */

/** What a rule asks about, whatever the values: names of fields, and keys of `when`. */
export interface RuleOutline {
  /** Fields of each alternative. */
  readonly from: readonly (readonly string[])[];
  readonly to: readonly (readonly string[])[];
  readonly when: readonly string[];
}

export function isHttpSourceField(name: string): boolean {
  return name === "requestPrincipals" || name === "notRequestPrincipals";
}

export function isHttpOperationField(name: string): boolean {
  return !isPortField(name);
}

export function isHttpKey(key: string): boolean {
  return key.startsWith("request.");
}

/** Whether the rule asks anything that TCP has no answer to. */
export function asksOfHttp({ from, to, when }: RuleOutline): boolean {
  return (
    from.some((names) => names.some(isHttpSourceField)) ||
    to.some((names) => names.some(isHttpOperationField)) ||
    when.some(isHttpKey)
  );
}

/** Whether every way to match the rule goes by ports. */
export function namesPorts({ to, when }: RuleOutline): boolean {
  return everyHas(to, isPortField) || when.includes("destination.port");
}

/** Whether a rule that loses its HTTP conditions still leaves some traffic out. */
export function isNarrowedOnTcp(rule: RuleOutline): boolean {
  return (
    namesPorts(rule) ||
    everyHas(rule.from, (name) => !isHttpSourceField(name)) ||
    rule.when.some((key) => !isHttpKey(key))
  );
}

/** An alternative that has lost all its conditions matches everything, and so do all of them together. */
function everyHas(
  alternatives: readonly (readonly string[])[],
  isWanted: (name: string) => boolean,
): boolean {
  return alternatives.length > 0 && alternatives.every((names) => names.some(isWanted));
}

function isPortField(name: string): boolean {
  return name === "ports" || name === "notPorts";
}
