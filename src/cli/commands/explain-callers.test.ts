/** Who is asked about: callers as logs spell them, and where their connections come from. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serviceYaml } from "../../../test/kit/service-yaml.ts";
import { type ToldByCommand, toldByCommand } from "../../../test/kit/told-by-command.ts";
import { type ExplainOptions, explainCommand } from "./explain.ts";

const MESH = serviceYaml("files", { http: 8080 });
const allow = (source: string): string => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admitted, namespace: shop}
spec: {rules: [{from: [{source: ${source}}]}]}
`;
const INGRESS = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: admitted, namespace: shop}
spec:
  podSelector: {}
  ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]
`;
const OTHER = "cluster.local/ns/shop/sa/other";
const BY_PRINCIPAL = allow(`{principals: ["${OTHER}"]}`);
const BY_ADDRESS = allow('{ipBlocks: ["203.0.113.0/24", "2001:db8::/32"]}');
const BY_REMOTE = allow("{remoteIpBlocks: [203.0.113.0/24]}");
const forwarded = (value: string): Partial<ExplainOptions> => ({
  header: [`x-forwarded-for: ${value}`],
});

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-callers-"));
});
after(() => rm(folder, { recursive: true }));

async function ask(yaml: string, asked: Partial<ExplainOptions>): Promise<ToldByCommand> {
  const file = join(folder, "mesh.yaml");
  await writeFile(file, MESH + yaml);
  const question = { from: "outside", to: "shop/files:8080", request: "GET /hello.txt", ...asked };
  return toldByCommand((print) =>
    explainCommand({ file: [file], ...question }, { print, warn: print }),
  );
}

const rows: readonly [
  what: string,
  yaml: string,
  asked: Partial<ExplainOptions>,
  code: number,
  told: RegExp,
][] = [
  ["an identity as logs spell it", BY_PRINCIPAL, { from: OTHER }, 0, /spiffe:\/\/cluster\.local/],
  ["another identity", BY_PRINCIPAL, { from: OTHER.replace("other", "web") }, 2, /^DENIED/],
  [
    "somebody who has ended",
    BY_PRINCIPAL,
    { from: "shop/other" },
    1,
    /known: shop\/files, outside; one that has ended, or is elsewhere, is named by its identity: spiffe:\/\/cluster\.local\/ns\/shop\/sa\/SERVICEACCOUNT$/m,
  ],
  ["AP-50 no address", BY_ADDRESS, {}, 2, /address, taken to be 127\.0\.0\.1; see --address$/m],
  ["AP-50 an address", BY_ADDRESS, { address: "203.0.113.9" }, 0, /^ALLOWED(?!.*taken to be)/s],
  ["AP-50 IPv6", BY_ADDRESS, { address: "2001:db8::1" }, 0, /^ALLOWED/],
  ["AP-50 another address", BY_ADDRESS, { address: "198.51.100.1" }, 2, /^DENIED/],
  ["AP-50 a workload's", BY_ADDRESS, { from: "shop/files", address: "203.0.113.9" }, 0, /^ALLOWED/],
  ["AP-50 a header says nothing", BY_ADDRESS, forwarded("203.0.113.9"), 2, /see --address$/m],
  [
    "AP-51 the remote address by a header",
    BY_REMOTE,
    forwarded("198.51.100.1, 203.0.113.9"),
    0,
    /^ALLOWED(?!.*taken to be).*asks for the remote address: 203\.0\.113\.9, by X-Forwarded-For$/s,
  ],
  [
    "AP-51 a header counts before the connection's address",
    BY_REMOTE,
    { ...forwarded("198.51.100.1"), address: "203.0.113.9" },
    2,
    /^DENIED/,
  ],
  ["AP-51 without a header the connection's", BY_REMOTE, { address: "203.0.113.9" }, 0, /^ALLOWED/],
  ["a NetworkPolicy, by another address", INGRESS, { address: "198.51.100.1" }, 2, /^DENIED/],
  ["a NetworkPolicy, by an address", INGRESS, { address: "203.0.113.9" }, 0, /^ALLOWED/],
  [
    "a NetworkPolicy, by a workload's address",
    INGRESS,
    { from: "shop/files", address: "203.0.113.9" },
    0,
    /^ALLOWED/,
  ],
  ["no address at all", BY_ADDRESS, { address: "here" }, 1, /--address here: expected an IP addr/],
];
for (const [what, yaml, asked, code, told] of rows) {
  test(`explain is asked about ${what}`, async () => {
    const answer = await ask(yaml, asked);
    assert.equal(answer.code, code, answer.text);
    assert.match(answer.text, told);
  });
}
