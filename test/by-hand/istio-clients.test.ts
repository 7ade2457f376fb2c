/**
 * Istio's own pilot-agent and istioctl, unmodified, against a mesh of ours. Nothing of them is in the repository: they are
 * built by Go's module proxy, so this is run by hand: `node --import tsx --test test/by-hand/istio-clients.test.ts`.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findOrFetchEnvoy } from "../kit/envoy-program.ts";
import { eventually } from "../kit/eventually.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { Kubectl } from "../kit/kubectl-program.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { bootstrapTemplate, ISTIO_VERSION, istioProgram } from "./istio-programs.ts";
import { PilotAgent } from "./pilot-agent.ts";

let mesh: RunningMesh;
let kubectl: Kubectl;
let istioctl: string;
let folder: string;

before(async () => {
  console.log(`Istio ${ISTIO_VERSION}`);
  istioctl = await istioProgram("istioctl");
  folder = await mkdtemp(join(tmpdir(), "hauberk-istio-"));
  mesh = await runMesh(["test/meshes/istio-clients"], {
    parameters: ["--envoy", findOrFetchEnvoy().path],
  });
  kubectl = await Kubectl.of(mesh.data);
});
after(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ask(...parameters: readonly string[]): Promise<string> {
  const { code, output, errors } = await kubectl.run(parameters);
  assert.equal(code, 0, errors);
  return output.toString("utf8");
}

function run(...parameters: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(istioctl, parameters, {
    encoding: "utf8",
    env: { ...process.env, KUBECONFIG: join(mesh.data, "kubeconfig") },
  });
  assert.equal(status, 0, `istioctl ${parameters.join(" ")}\n${stdout}${stderr}`);
  console.log(`$ istioctl ${parameters.join(" ")}\n${stdout}`);
  return stdout;
}

const tokenOf = (account: string, pod: string): Promise<string> =>
  ask(
    ...["create", "token", account, "-n", "shop", "--audience", "istio-ca"],
    ...["--bound-object-kind", "Pod", "--bound-object-name", pod],
  );
const rootsOf = (namespace: string): Promise<string> =>
  ask(...["get", "configmap", "istio-ca-root-cert", "-n", namespace], "-o", ROOTS_PATH);
const ROOTS_PATH = "jsonpath={.data.root-cert\\.pem}";

describe("pilot-agent", () => {
  let agent: PilotAgent;
  let roots: string;
  before(async () => {
    roots = await rootsOf("shop");
    agent = await PilotAgent.start({
      controlPlane: mesh.state.controlPlane,
      ...{ namespace: "shop", pod: "web-0", serviceAccount: "web" },
      token: (await tokenOf("web", "web-0")).trim(),
      roots,
      certificateLifetime: "20s",
    });
  });
  after(() => agent?.stop());

  const certificate = (): Promise<X509Certificate> =>
    eventually(
      () => `a certificate in:\n${agent.said}`,
      async () => {
        const pem = await agent.certificate("cert-chain.pem");
        return pem === undefined ? undefined : new X509Certificate(pem);
      },
    );

  test("CA-2, CA-15: it gets its certificate, which leads to the roots of istio-ca-root-cert", async () => {
    const leaf = await certificate();
    assert.equal(leaf.subjectAltName, "URI:spiffe://cluster.local/ns/shop/sa/web");
    const root = new X509Certificate(roots);
    assert.ok(leaf.verify(root.publicKey) && leaf.checkIssued(root));
    assert.equal(
      (await agent.certificate("root-cert.pem"))?.trim(),
      new X509Certificate(roots).toString().trim(),
    );
    const life = Date.parse(leaf.validTo) - Date.now();
    assert.ok(life > 0 && life <= 20_000, `${life} ms`);
  });

  test("CA-31, CA-32: it renews it at half of its life, with another key", async () => {
    const first = await certificate();
    const next = await eventually(
      () => `another certificate in:\n${agent.said}`,
      async () => {
        const now = await certificate();
        return now.serialNumber === first.serialNumber ? undefined : now;
      },
    );
    assert.ok(Date.parse(next.validTo) > Date.parse(first.validTo));
    assert.ok(!next.publicKey.equals(first.publicKey));
  });

  test("CA-5: what it asks for with a token for another audience is refused", async () => {
    const other = await ask(
      ...["create", "token", "web", "-n", "shop", "--audience", "vault"],
      ...["--bound-object-kind", "Pod", "--bound-object-name", "web-0"],
    );
    const refused = await PilotAgent.start({
      controlPlane: mesh.state.controlPlane,
      ...{ namespace: "shop", pod: "web-0", serviceAccount: "web" },
      token: other.trim(),
      roots,
      certificateLifetime: "20s",
    });
    try {
      await eventually(
        () => `a refusal in:\n${refused.said}`,
        () => /Unauthenticated/.test(refused.said),
      );
      assert.equal(await refused.certificate("cert-chain.pem"), undefined);
    } finally {
      await refused.stop();
    }
  });
});

test("a real Envoy that pilot-agent starts is told all it is to have, and takes it", {
  skip: process.getuid?.() !== 0 && "needs root, for a network of its own",
}, async () => {
  const agent = await PilotAgent.start({
    controlPlane: mesh.state.controlPlane,
    ...{ namespace: "shop", pod: "web-0", serviceAccount: "web" },
    token: (await tokenOf("web", "web-0")).trim(),
    roots: await rootsOf("shop"),
    certificateLifetime: "20s",
    envoy: { program: findOrFetchEnvoy().path, bootstrapTemplate: await bootstrapTemplate() },
  });
  try {
    await eventually(
      () => `an Envoy that serves in:\n${agent.said}`,
      async () => (await agent.askEnvoy("/ready"))?.startsWith("LIVE"),
    );
    const stats = (await agent.askEnvoy("/stats?filter=update_rejected|update_success")) ?? "";
    assert.match(stats, /^listener_manager\.lds\.update_success: [1-9]/m);
    assert.match(stats, /^cluster_manager\.cds\.update_success: [1-9]/m);
    assert.doesNotMatch(stats, /update_rejected: [1-9]/);
    assert.match(
      (await agent.askEnvoy("/certs")) ?? "",
      /"uri": "spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web"/,
    );
  } finally {
    await agent.stop();
  }
});

for (const { pod, what, policies } of [
  {
    pod: "api-0",
    what: "a pod with Envoy",
    policies: [
      /^DENY +no-admin\.istio-system +1$/m,
      /^ALLOW +readers\.shop +2$/m,
      /^LOG +watched\.shop +1$/m,
      /^CUSTOM +checked\.shop +1$/m,
    ],
  },
  {
    pod: "web-0",
    what: "a pod with our sidecar",
    policies: [/^DENY +no-admin\.istio-system +1$/m, /^ALLOW +readers\.shop +2$/m],
  },
]) {
  describe(`istioctl and ${what}`, () => {
    let file: string;
    before(async () => {
      const dump = await runHauberk([
        ...["proxy-config", "all", `${pod}.shop`, "-o", "json", "--data", mesh.data],
      ]);
      assert.equal(dump.code, 0, dump.errors);
      file = join(folder, `${pod}.json`);
      await writeFile(file, dump.output);
    });

    const asks: readonly (readonly [words: readonly string[], told: readonly RegExp[]])[] = [
      [
        ["proxy-config", "listener"],
        [/^ADDRESSES +PORT +MATCH +DESTINATION$/m, /inbound\|8080\|\|/],
      ],
      [
        ["proxy-config", "cluster"],
        [
          /^SERVICE FQDN +PORT +SUBSET +DIRECTION +TYPE +DESTINATION RULE$/m,
          /^api\.shop\.svc\.cluster\.local +8080 +v1 +outbound +EDS +api\.shop$/m,
          /^web\.shop\.svc\.cluster\.local +8080 +- +outbound +EDS *$/m,
        ],
      ],
      [
        ["proxy-config", "route"],
        [/^NAME +VHOST NAME +DOMAINS +MATCH +VIRTUAL SERVICE$/m, /api\.shop$/m],
      ],
      [
        ["proxy-config", "secret"],
        [/^default +Cert Chain +ACTIVE +true/m, /^ROOTCA +CA +ACTIVE +true/m],
      ],
      [
        ["experimental", "authz", "check"],
        [/^ACTION +AuthorizationPolicy +RULES$/m, ...policies],
      ],
    ];
    for (const [words, told] of asks) {
      test(`${words.join(" ")} -f`, () => {
        const said = run(...words, "-f", file);
        for (const one of told) assert.match(said, one);
      });
      test(`${words.join(" ")} of the pod that runs`, () => {
        const said = run(...words, `${pod}.shop`);
        for (const one of told) assert.match(said, one);
      });
    }

    test("proxy-config endpoint of the pod that runs, and of a file", async () => {
      const told =
        /^127\.0\.0\.1:\d+ +HEALTHY +OK +outbound\|8080\|\|(?:api|web)\.shop\.svc\.cluster\.local$/m;
      assert.match(run("proxy-config", "endpoint", `${pod}.shop`), told);
      const clusters = join(folder, `${pod}-clusters.json`);
      const container = ["exec", "-n", "shop", pod, "-c", "istio-proxy", "--"];
      await writeFile(
        clusters,
        await ask(...container, "curl", "-s", "localhost:15000/clusters?format=json"),
      );
      assert.match(run("proxy-config", "endpoint", "-f", clusters), told);
    });

    test("proxy-config log of the pod that runs, told and set", () => {
      assert.match(run("proxy-config", "log", `${pod}.shop`), /^ +all: info$/m);
      const set = run("proxy-config", "log", `${pod}.shop`, "--level", "warning");
      assert.match(set, /^ +all: warning$/m);
    });

    test("what pilot-agent request GET config_dump answers is such a file", async () => {
      const dump = join(folder, `${pod}-request.json`);
      const container = ["exec", "-n", "shop", pod, "-c", "istio-proxy", "--"];
      await writeFile(
        dump,
        await ask(...container, "pilot-agent", "request", "GET", "config_dump"),
      );
      const said = run("experimental", "authz", "check", "-f", dump);
      for (const one of policies) assert.match(said, one);
    });
  });
}
