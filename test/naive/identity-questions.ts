/** Questions about who calls (AP-45..AP-48): without a certificate none of them is true (AP-45b). */
import type { Asked, Question } from "./asked.ts";
import { literally } from "./text-pattern.ts";
import { expandPrincipal, expandTrustDomain } from "./trust-domain-members.ts";

const SCHEME = "spiffe://";

/** AP-45 */
export const askPrincipal: Question = (value, asked) =>
  ofCaller(asked, (principal) =>
    expandPrincipal(value, asked.trust).some((one) => isPrincipal(one, principal)),
  );

/** AP-46, with AP-90: a star stays inside one segment. */
export const askNamespace: Question = (value, asked) => {
  const segment = value.split("*").map(literally).join("[^/]*");
  return ofCaller(asked, (principal) => new RegExp(`^.*/ns/${segment}/.*$`).test(principal));
};

/** AP-47 */
export const askServiceAccount: Question = (value, asked) => {
  const slash = value.indexOf("/");
  const namespace = slash < 0 ? asked.policyNamespace : value.slice(0, slash);
  const account = value.slice(slash + 1);
  const pattern = `^spiffe://.+/ns/${literally(namespace)}/(.+/|)sa/${literally(account)}(/.+)?$`;
  return ofCaller(asked, (principal) => new RegExp(pattern).test(principal));
};

/** AP-48 */
export const askTrustDomain: Question = (value, asked) =>
  ofCaller(asked, (principal) =>
    expandTrustDomain(value, asked.trust).some((one) => isOfTrustDomain(one, principal)),
  );

function ofCaller({ traffic }: Asked, test: (principal: string) => boolean): boolean {
  const { principal } = traffic.connection;
  return principal !== undefined && test(principal);
}

function isPrincipal(value: string, principal: string): boolean {
  if (value === "*") return principal !== "";
  if (value.startsWith("*")) {
    return new RegExp(`^spiffe://.*${literally(value.slice(1))}$`).test(principal);
  }
  if (value.endsWith("*")) return principal.startsWith(SCHEME + value.slice(0, -1));
  return principal === SCHEME + value;
}

function isOfTrustDomain(value: string, principal: string): boolean {
  if (value === "*") return principal.startsWith(SCHEME);
  if (!value.includes("*")) return principal.startsWith(`${SCHEME}${value}/`);
  const domain = value.split("*").map(literally).join("[^/]*");
  return new RegExp(`^spiffe://${domain}/.*$`).test(principal);
}
