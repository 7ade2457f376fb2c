/** DENY rules that deny more on TCP ports than they say, since their HTTP conditions do not apply there (VAL-30, AP-62). */
import type { Fields } from "../decoder.ts";
import { asksOfHttp, isNarrowedOnTcp, type RuleOutline } from "../http-conditions.ts";
import { textIn } from "./written-values.ts";

/** As the webhook knows them: it does not count `trustDomains`, though they apply to TCP too. */
const TCP_SOURCE_FIELDS = [
  "principals",
  "notPrincipals",
  "namespaces",
  "notNamespaces",
  "serviceAccounts",
  "notServiceAccounts",
  "ipBlocks",
  "notIpBlocks",
  "remoteIpBlocks",
  "notRemoteIpBlocks",
];
const TCP_OPERATION_FIELDS = ["ports", "notPorts"];

/** `from` counts only where there is no `to`: what it narrows is still denied on every TCP port. */
export function warnOfLostConditions(rule: Fields): void {
  const operations = membersOf(rule, { list: "to", member: "operation" });
  const sources = membersOf(rule, { list: "from", member: "source" });
  const lost =
    operations.length > 0
      ? !hasAny(operations, TCP_OPERATION_FIELDS)
      : sources.length > 0 && !hasAny(sources, TCP_SOURCE_FIELDS);
  if (!lost) return;
  rule.noticeHere(effectOf(outlineOf(rule)));
}

function effectOf(rule: RuleOutline): string {
  if (!asksOfHttp(rule)) {
    return "holds on TCP ports as it is written; Istio warns all the same, as it does not count trustDomains";
  }
  const effect = isNarrowedOnTcp(rule)
    ? "denies more on TCP ports: its HTTP conditions are ignored there, and what else it says still holds"
    : "denies all traffic on TCP ports, because its HTTP conditions are ignored there";
  return `${effect}; name the ports it is for`;
}

function outlineOf(rule: Fields): RuleOutline {
  return {
    from: rule.list("from").map((item) => namesIn(item.section("source"))),
    to: rule.list("to").map((item) => namesIn(item.section("operation"))),
    when: rule.list("when").map((condition) => textIn(condition, "key")),
  };
}

function namesIn(member: Fields): string[] {
  return member.names().filter((name) => !member.saysNothing(name));
}

function membersOf(rule: Fields, { list, member }: { list: string; member: string }): Fields[] {
  return rule.list(list).flatMap((item) => (item.has(member) ? [item.section(member)] : []));
}

function hasAny(members: readonly Fields[], names: readonly string[]): boolean {
  return members.some((member) => names.some((name) => !member.saysNothing(name)));
}
