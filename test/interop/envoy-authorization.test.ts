/**
 * Many rules in a real Envoy: what its match trees find, or lose, is what the engine says of the same requests. It is the
 * behaviour that `judge-by-matcher` of the unit tests takes for granted.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AppliedPolicy, EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import { compiledEngine } from "../kit/compiled-engine.ts";
import {
  CROWDED_DOMAINS,
  CROWDED_IDENTITIES,
  CROWDED_PATHS,
  crowdedPolicy,
} from "../kit/crowded-policies.ts";
import { Dice } from "../kit/dice.ts";
import { ask, MESH_HTTP_ALPN, RecordingApplication } from "../kit/envoy-callers.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import { idOf, inboundPort, policy, workloadView } from "../kit/sidecar-fixture.ts";
import { type StaticEnvoy, startStaticEnvoy } from "../kit/static-envoy.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";
import { PLAIN_CONNECTION, PLAIN_REQUEST } from "../kit/traffic-facts.ts";

const mesh = createThrowawayAuthority();
const dice = new Dice(23);
const MANY = [crowdedPolicy(dice, "DENY", 30), crowdedPolicy(dice, "ALLOW", 60)];
/** The mesh's TLS lets nobody else in. */
const PEERS = CROWDED_IDENTITIES.filter((id) => /^spiffe:\/\/(cluster\.local|old\.td)\//.test(id));
/** Envoy itself answers what is no path. */
const PATHS = CROWDED_PATHS.filter((path) => path.startsWith("/"));

let application: RecordingApplication;
const envoys: StaticEnvoy[] = [];
before(async () => {
  application = await RecordingApplication.start();
});
after(async () => {
  await Promise.all(envoys.map((one) => one.stop()));
  application.close();
});

/** @returns the port on which an Envoy judges by these policies, and the lines of its access log: why it denied */
async function judging(
  policies: readonly AppliedPolicy[],
  linearUpTo: number,
): Promise<{ readonly port: number; readonly lines: readonly string[] }> {
  const listen = await freePort();
  const view = workloadView({
    rootsPem: [mesh.rootPem],
    policies,
    ports: [inboundPort({ listen, application: application.port })],
    trustDomainAliases: CROWDED_DOMAINS.trustDomainAliases,
  });
  const svid = mesh.svid(idOf("api"));
  const format = { encoding: "TEXT", template: "%RESPONSE_CODE_DETAILS%\n" } as const;
  const log = { provider: "envoy", path: "/dev/stdout", format } as const;
  const telemetry = { inbound: [log], outbound: [] };
  const envoy = await startStaticEnvoy({
    view: { ...view, telemetry },
    svid,
    settings: { linearUpTo },
  });
  envoys.push(envoy);
  return { port: listen, lines: envoy.lines };
}

const effective = (policies: readonly AppliedPolicy[]): EffectiveAuthorization => ({
  custom: [],
  audit: [],
  deny: policies.filter(({ action }) => action === "DENY"),
  allow: policies.filter(({ action }) => action === "ALLOW"),
});

for (const [form, linearUpTo] of [
  ["asked in turn", 1_000],
  ["found by an index", -1],
] as const) {
  test(`90 rules, ${form}: ${PEERS.length} identities, ${PATHS.length} paths`, async () => {
    const { port } = await judging(MANY, linearUpTo);
    const engine = compiledEngine(effective(MANY), CROWDED_DOMAINS);
    const verdicts = new Set<number>();
    for (const principal of PEERS) {
      const caller = { port, alpn: MESH_HTTP_ALPN, certificate: mesh.svid(principal) };
      for (const path of PATHS) {
        const connection = { ...PLAIN_CONNECTION, principal };
        const { verdict } = engine({ connection, request: { ...PLAIN_REQUEST, path } });
        const expected = verdict === "allow" ? 200 : 403;
        const { status } = await ask(caller, path);
        assert.equal(status, expected, `${principal} ${path}`);
        verdicts.add(status);
      }
    }
    assert.equal(verdicts.size, 2);
  });
}

const guests = policy("DENY", "guests", {
  when: [{ key: "request.headers[x-role]", values: ["guest"], notValues: [] }],
});
const present = policy("DENY", "present", {
  when: [{ key: "request.headers[x-odd]", values: ["*"], notValues: [] }],
});
const admins = policy("ALLOW", "admins", {
  when: [{ key: "request.headers[x-role]", values: ["admin"], notValues: [] }],
});

const LINES: readonly [
  what: string,
  policies: readonly AppliedPolicy[],
  fields: readonly string[],
  status: number,
][] = [
  ["a value that keeps out, on a second line", [guests], ["x-role: user", "x-role: guest"], 403],
  ["the same on one line", [guests], ["x-role: user, guest"], 403],
  ["another value", [guests], ["x-role: guests"], 200],
  ["a value that lets in", [admins], ["x-role: admin"], 200],
  ["the same, and another line", [admins], ["x-role: admin", "x-role: user"], 403],
  ["AP-41: an empty value is there", [present], ["x-odd:"], 403],
  ["a value that is no UTF-8 is there", [present], ["x-odd: \u00ff"], 403],
];
for (const [what, policies, fields, status] of LINES) {
  test(`AP-80, QK-7: ${what}: ${status}`, async () => {
    const { port } = await judging(policies, 0);
    const caller = { port, alpn: MESH_HTTP_ALPN, certificate: mesh.svid(idOf("web")) };
    assert.equal((await ask(caller, "/", fields)).status, status);
  });
}

const anybody = policy("ALLOW", "anybody", {});
const REASONS: readonly [what: string, policies: readonly AppliedPolicy[], reason: string][] = [
  [
    "a rule that denies, by its id",
    [policy("DENY", "nobody", {}), anybody],
    "rbac_access_denied_matched_policy[ns[production]-policy[nobody]-rule[0]]",
  ],
  ["no rule that allows", [admins], "rbac_access_denied_matched_policy[none]"],
];
for (const [what, policies, reason] of REASONS) {
  test(`AP-131: the log says why: ${what}`, async () => {
    const { port, lines } = await judging(policies, 0);
    const caller = { port, alpn: MESH_HTTP_ALPN, certificate: mesh.svid(idOf("web")) };
    assert.equal((await ask(caller, "/")).status, 403);
    await eventually("the line of the access log", () => lines.includes(reason));
  });
}
