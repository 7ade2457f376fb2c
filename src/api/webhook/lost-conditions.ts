/** DENY rules that deny everything on TCP ports, where their HTTP conditions do not apply (VAL-30, AP-62). */
import type { Fields } from "../decoder.ts";

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
  rule.noticeHere(
    "denies all traffic on TCP ports, because its HTTP conditions do not apply there; name the ports it is for",
  );
}

function membersOf(rule: Fields, { list, member }: { list: string; member: string }): Fields[] {
  return rule.list(list).flatMap((item) => (item.has(member) ? [item.section(member)] : []));
}

function hasAny(members: readonly Fields[], names: readonly string[]): boolean {
  return members.some((member) => names.some((name) => member.has(name)));
}
