import assert from "node:assert/strict";
import { test } from "node:test";
import { grpc, http } from "../../../test/kit/authorizer-stage.ts";
import { ownCalls } from "../../../test/kit/own-calls-stage.ts";
import type { AppliedAuthorizer, UsableAuthorizer } from "../../policy/applied-authorizers.ts";
import { type Consent, ExternalAuthorization } from "./external-authorization.ts";
import { RunningTrials } from "./running-trials.ts";

const asked = grpc("opa", { failOpen: true });
const rows: [what: string, outcome: Consent["outcome"], now: AppliedAuthorizer, counts: boolean][] =
  [
    ["the same authorizer", "allowed", asked, true],
    ["one that waits longer", "allowed", { ...asked, timeoutMs: 1, statusOnError: 500 }, true],
    ["one whose errors do not let pass any more", "allowed", { ...asked, failOpen: false }, true],
    ["the same, that was not asked", "passed unasked", { ...asked, failOpen: false }, false],
    ["the same, that was not asked, and need not be", "passed unasked", asked, true],
    ["another service", "allowed", { ...asked, host: "other" }, false],
    ["another port", "allowed", { ...asked, port: 1 }, false],
    ["another protocol", "allowed", http("opa"), false],
    ["one that wants the body", "allowed", withBody(asked), false],
    ["one that cannot be asked", "allowed", { name: "opa", kind: "unusable", problem: "" }, false],
    ["another name", "allowed", grpc("opa-2"), false],
  ];

function withBody(settings: UsableAuthorizer): UsableAuthorizer {
  const requestBody = { maxBytes: 1, allowPartial: true, packAsBytes: true };
  return { ...settings, requestBody };
}

for (const [what, outcome, now, counts] of rows) {
  test(`what was allowed counts ${counts ? "" : "not "}for ${what}`, (context) => {
    const services = ownCalls(context, []);
    const access = { services, answered: () => {}, trials: new RunningTrials() };
    const external = new ExternalAuthorization([now], access);
    const consents = new Map([["opa", { settings: asked, outcome }]]);
    assert.equal(external.hasConsent("opa", consents), counts);
  });
}

test("from where nobody can be asked, nobody has allowed anything", () => {
  const external = new ExternalAuthorization([asked], undefined);
  assert.equal(typeof external.client("opa"), "string");
  assert.equal(typeof external.client("other"), "string");
});
