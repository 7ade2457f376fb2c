/** The alerts of deploy/prometheus: accepted by promtool, and fired by a real Prometheus that reads a real mesh. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "../kit/free-port.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const RULES = "deploy/prometheus/hauberk-rules.yaml";

interface Alert {
  readonly state: "pending" | "firing";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

test("promtool accepts the rules, and each does what its tests say", () => {
  const check = execFileSync("promtool", ["check", "rules", RULES], { encoding: "utf8" });
  assert.match(check, /SUCCESS: \d+ rules found/);
  const tests = ["test", "rules", "deploy/prometheus/hauberk-rules.test.yaml"];
  assert.match(execFileSync("promtool", tests, { encoding: "utf8" }), /SUCCESS/);
});

test("every alert has a test in which it fires", async () => {
  const tests = await readFile("deploy/prometheus/hauberk-rules.test.yaml", "utf8");
  const alerts = [...(await readFile(RULES, "utf8")).matchAll(/alert: (\w+)/g)].map(
    ([, name]) => name,
  );
  assert.ok(alerts.length > 5);
  const untested = alerts.filter(
    (name) => !new RegExp(`alertname: ${name}\\n +exp_alerts:\\n +- exp_labels`).test(tests),
  );
  assert.deepEqual(untested, []);
});

describe("a Prometheus that reads a mesh", () => {
  let folder: string;
  let mesh: RunningMesh;
  let prometheus: ChildProcess;
  let url: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-prometheus-"));
    const [metrics, port] = [await freePort(), await freePort()];
    mesh = await runMesh(["test/meshes/dashboard"], {
      parameters: ["--metrics-port", String(metrics)],
    });
    await cp("deploy/prometheus", folder, { recursive: true });
    const configured = await readFile(join(folder, "prometheus.yaml"), "utf8");
    const ours = configured.replaceAll("15014", String(metrics)).replaceAll("5s", "1s");
    await writeFile(join(folder, "prometheus.yaml"), ours);
    await writeSidecars();
    url = `http://127.0.0.1:${port}`;
    prometheus = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yaml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: "ignore" },
    );
  });
  after(async () => {
    if (prometheus !== undefined) {
      const ended = once(prometheus, "exit");
      prometheus.kill("SIGTERM");
      await ended;
    }
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** By the command line that the guide tells. */
  const writeSidecars = async (): Promise<void> => {
    const guide = await readFile("docs/guides/monitoring.md", "utf8");
    const [, filter = ""] = /jq '([^']+)'/.exec(guide) ?? [];
    assert.notEqual(filter, "", "the guide has a filter for jq");
    const { output } = await runHauberk(["status", "--json", "--data", mesh.data]);
    const targets = execFileSync("jq", [filter], { input: output, encoding: "utf8" });
    await writeFile(join(folder, "sidecars.json"), targets);
  };
  const ask = async <T>(path: string): Promise<T | undefined> => {
    const answer = await fetch(`${url}${path}`).catch(() => undefined);
    if (answer?.ok !== true) return undefined;
    return ((await answer.json()) as { data: T }).data;
  };
  const alertsNamed = async (name: string): Promise<readonly Alert[]> => {
    const found = await ask<{ alerts: readonly Alert[] }>("/api/v1/alerts");
    const alerts = found?.alerts ?? [];
    return alerts.filter(({ labels, state }) => labels["alertname"] === name && state === "firing");
  };

  test("it reads every sidecar, and the control plane", async () => {
    type Targets = { activeTargets: readonly { health: string; labels: Record<string, string> }[] };
    const healthy = async (): Promise<readonly string[]> => {
      const found = await ask<Targets>("/api/v1/targets?state=active");
      const up = found?.activeTargets.filter(({ health }) => health === "up") ?? [];
      return up.map(({ labels }) => `${labels["job"]} ${labels["pod"] ?? ""}`.trim()).sort();
    };
    await until("all targets", async () => (await healthy()).length === 5);
    assert.deepEqual(await healthy(), [
      "hauberk-control-plane",
      ...["orders-0", "reports-0", "stock-0", "web-0"].map((pod) => `hauberk-sidecars ${pod}`),
    ]);
  });

  test("every series that the rules name is there, or of what did not happen here", async () => {
    const rules = await readFile(RULES, "utf8");
    const named = new Set(rules.match(/\b(?:hauberk|istio|citadel)_[a-z_]+\b/g));
    const have = await until("names", async () => {
      const names = await ask<readonly string[]>("/api/v1/label/__name__/values");
      return names?.includes("citadel_server_cert_chain_expiry_seconds") && names;
    });
    const absent = [...named].filter((name) => !have.includes(name));
    const didNotHappen = ["citadel_server_csr_sign_err_count", "hauberk_remote_cluster_connected"];
    const allowed = ["istio_tcp_connections_opened_total", ...didNotHappen];
    assert.deepEqual(
      absent.filter((name) => !allowed.includes(name)),
      [],
    );
  });

  test("denials fire an alert that names the pod and the reason", async () => {
    const alerts = await until("the alert", async () => {
      const found = await alertsNamed("HauberkRequestsDenied");
      return found.length > 0 && found;
    });
    assert.deepEqual(
      alerts.map(({ labels: { pod } }) => pod),
      ["orders-0"],
    );
    assert.equal(alerts[0]?.labels["because"], "no-allow-matched");
    assert.match(
      alerts[0]?.annotations["description"] ?? "",
      /hauberk logs --denied shop\/orders-0/,
    );
  });

  test("plaintext is told apart: taken by one, refused by the other", async () => {
    const podsOf = async (name: string): Promise<readonly (string | undefined)[]> =>
      (await alertsNamed(name)).map(({ labels }) => labels["pod"]);
    await until("both", async () => {
      const [taken, refused] = [
        await podsOf("HauberkPlaintextAccepted"),
        await podsOf("HauberkPlaintextRefused"),
      ];
      return taken.length > 0 && refused.length > 0;
    });
    assert.deepEqual(await podsOf("HauberkPlaintextAccepted"), ["stock-0"]);
    assert.deepEqual(await podsOf("HauberkPlaintextRefused"), ["orders-0"]);
    assert.deepEqual(await podsOf("HauberkCertificateExpiring"), []);
  });
});
