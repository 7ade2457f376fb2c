import assert from "node:assert/strict";
import { test } from "node:test";
import { type AutomountToken, effectiveAutomountToken } from "./automount-token.ts";
import { parseResources } from "./parse-resources.ts";

const text = (account: string, pod: string): string => `apiVersion: v1
kind: ServiceAccount
metadata: {name: api}
${account}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      serviceAccountName: api
      ${pod}
      containers: [{name: a, image: x}]
`;
const FIELD = "automountServiceAccountToken";

const cases: [account: string, pod: string, read: AutomountToken[], expected: "on" | "off"][] = [
  ["", "", ["unset", "unset"], "on"],
  [`${FIELD}: null`, "", ["unset", "unset"], "on"],
  [`${FIELD}: false`, "", ["off", "unset"], "off"],
  [`${FIELD}: true`, "", ["on", "unset"], "on"],
  ["", `${FIELD}: false`, ["unset", "off"], "off"],
  [`${FIELD}: false`, `${FIELD}: true`, ["off", "on"], "on"],
  [`${FIELD}: true`, `${FIELD}: false`, ["on", "off"], "off"],
];
for (const [account, pod, read, expected] of cases) {
  test(`the account says "${account}", the pod "${pod}": the token is ${expected}`, () => {
    const { resources, issues } = parseResources(text(account, pod), "mesh.yaml");
    assert.deepEqual(issues, []);
    const [serviceAccount, deployment] = resources;
    assert.ok(serviceAccount?.kind === "ServiceAccount" && deployment?.kind === "Deployment");
    const { template } = deployment;
    assert.deepEqual([serviceAccount.automountToken, template.automountToken], read);
    assert.equal(effectiveAutomountToken(template, serviceAccount), expected);
  });
}

test("without a ServiceAccount resource the pod decides, and otherwise it is on", () => {
  assert.equal(effectiveAutomountToken({ automountToken: "off" }, undefined), "off");
  assert.equal(effectiveAutomountToken({ automountToken: "unset" }, undefined), "on");
});

test("what is neither true nor false is refused", () => {
  const { issues } = parseResources(text("", `${FIELD}: 'no'`), "mesh.yaml");
  assert.deepEqual(
    issues.map(({ source, path }) => `${source.line} ${path}`),
    [`15 spec.template.spec.${FIELD}`],
  );
});
