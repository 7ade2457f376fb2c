import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizationPolicies } from "../../test/kit/authorization-policies.ts";
import { clusterTrust, connectionFrom } from "../../test/kit/mesh-parts.ts";
import { authorizeConnection, compileAuthorization } from "./authorize.ts";
import { type RuleOnPort, ruleOnPort } from "./rule-on-port.ts";
import type { AppliedPolicy } from "./workload-view.ts";

const TCP = { containerPort: 8080, protocol: "tcp" } as const;
const HTTP = { containerPort: 8080, protocol: "http" } as const;

const EFFECTS: readonly (readonly [
  title: string,
  spec: string,
  on: typeof TCP | typeof HTTP,
  effect: RuleOnPort["effect"],
  httpFields?: readonly string[],
])[] = [
  [
    "AP-60: TCP conditions stay",
    "{rules: [{from: [{source: {principals: [a]}}]}]}",
    TCP,
    "as-written",
  ],
  [
    "AP-61: ALLOW with a method",
    "{rules: [{to: [{operation: {methods: [GET]}}]}]}",
    TCP,
    "never",
    ["methods"],
  ],
  [
    "AP-61: one alternative with HTTP spoils the rule",
    "{rules: [{to: [{operation: {ports: ['8080']}}, {operation: {hosts: [a]}}]}]}",
    TCP,
    "never",
    ["hosts"],
  ],
  [
    "AP-61: a header and a token",
    "{rules: [{from: [{source: {requestPrincipals: [a/b]}}], when: [{key: 'request.headers[x]', values: ['1']}]}]}",
    TCP,
    "never",
    ["requestPrincipals", "request.headers[x]"],
  ],
  [
    "AP-62: DENY loses it",
    "{action: DENY, rules: [{to: [{operation: {paths: [/a]}}]}]}",
    TCP,
    "widened",
    ["paths"],
  ],
  [
    "HTTP conditions are asked on HTTP",
    "{rules: [{to: [{operation: {paths: [/a]}}]}]}",
    HTTP,
    "as-written",
  ],
  [
    "AP-56: another port",
    "{rules: [{to: [{operation: {ports: ['1'], paths: [/a]}}]}]}",
    TCP,
    "other-port",
  ],
  [
    "AP-95: a key that is not known asks for no HTTP",
    "{rules: [{when: [{key: 'experimental.envoy.filters.a.b[c]', values: ['1']}]}]}",
    TCP,
    "as-written",
  ],
  [
    "AP-57: not this port",
    "{rules: [{to: [{operation: {notPorts: ['8080']}}]}]}",
    HTTP,
    "other-port",
  ],
  [
    "AP-93: another port",
    "{rules: [{when: [{key: destination.port, values: ['1']}]}]}",
    HTTP,
    "other-port",
  ],
];

for (const [title, spec, port, effect, httpFields] of EFFECTS) {
  test(`${title}: ${effect}`, () => {
    const { there } = onPort(spec, port);
    assert.equal(there.effect, effect);
    assert.deepEqual("httpFields" in there ? there.httpFields : undefined, httpFields);
  });
}

const CALLERS = ["plaintext", "spiffe://td/ns/n/sa/a", "spiffe://td/ns/n/sa/b"];
const JUDGED = [
  "{action: DENY, rules: [{to: [{operation: {paths: [/a]}}]}]}",
  "{action: DENY, rules: [{from: [{source: {principals: ['*/a'], requestPrincipals: [x/y]}}]}]}",
  "{action: DENY, rules: [{from: [{source: {principals: ['*/a']}}, {source: {requestPrincipals: [x/y]}}]}]}",
  "{action: DENY, rules: [{to: [{operation: {methods: [GET], ports: ['8080']}}], when: [{key: source.principal, notValues: ['*/b']}]}]}",
  "{rules: [{to: [{operation: {methods: [GET]}}, {operation: {ports: ['8080']}}]}]}",
  "{rules: [{from: [{source: {principals: ['*/a']}}]}]}",
];

for (const spec of JUDGED) {
  test(`what is said of ${spec} is what the engine does with it on TCP`, () => {
    const { policy, there } = onPort(spec, TCP);
    for (const caller of CALLERS) {
      const asWritten = verdict(policy, caller);
      if (there.effect === "never") assert.equal(asWritten, "deny");
      else
        assert.equal(asWritten, verdict({ ...policy, rules: rulesThere(policy, there) }, caller));
    }
  });
}

function onPort(
  spec: string,
  port: typeof TCP | typeof HTTP,
): { readonly policy: AppliedPolicy; readonly there: RuleOnPort } {
  const [policy] = authorizationPolicies(spec);
  const [rule] = policy?.rules ?? [];
  assert.ok(policy && rule);
  const { kind, meta, action, rules } = policy;
  const ref = { kind, namespace: meta.namespace, name: meta.name };
  return {
    policy: { ref, source: meta.source, action, rules },
    there: ruleOnPort(rule, { action, port }),
  };
}

function rulesThere({ rules }: AppliedPolicy, there: RuleOnPort): AppliedPolicy["rules"] {
  return there.effect === "widened" ? [there.rule] : rules;
}

function verdict(policy: AppliedPolicy, caller: string): string {
  const nothing = { custom: [], audit: [], deny: [], allow: [] };
  const effective =
    policy.action === "DENY" ? { ...nothing, deny: [policy] } : { ...nothing, allow: [policy] };
  const compiled = compileAuthorization(effective, { protocol: "tcp", trust: clusterTrust });
  return authorizeConnection(compiled, connectionFrom(caller)).verdict;
}
