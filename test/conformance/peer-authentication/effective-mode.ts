/** Mode and port modes of one workload, composed (PA-9..PA-16), and the TLS that its sidecar then serves (TLS-10, TLS-11). */
import { effectivePeerAuthentication } from "../../../src/policy/effective-policy.ts";
import type { MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import {
  type ComposedPeerAuthentication,
  mutualTlsOfPort,
} from "../../../src/policy/mutual-tls.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import type { UpstreamObject } from "../upstream-objects.ts";
import { snapshotOfSet } from "./policy-sets.ts";
import { servedTls } from "./served-tls.ts";

type ModeCase = ConformanceCase & {
  readonly rootNamespace: string;
  readonly peerAuthentications: readonly UpstreamObject[];
  readonly workload?: {
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  /** Asked for alone; absent where all are. */
  readonly port?: number;
  readonly expected: {
    readonly mode: string;
    readonly perPort?: Readonly<Record<string, string>>;
    /** Of Envoy's configuration; the lists of ALPN names and the names of secrets have no form here. */
    readonly tls?: ExpectedTls | null;
  };
};

interface ExpectedTls {
  readonly minVersion: string;
  readonly maxVersion: string;
  readonly cipherSuites: readonly string[];
}

/** Where upstream's policies, and the workload, are when nothing else is said. */
const NAMESPACE = "my-ns";

export const effectiveMode: TableRunner = table<ModeCase>({
  fields: ["rootNamespace", "peerAuthentications", "workload", "port", "expected"],
  run(test) {
    const { rootNamespace, workload = {}, port, expected } = test;
    const policies = test.peerAuthentications.map(completed);
    const snapshot = snapshotOfSet({ rootNamespace, policies });
    const composed = effectivePeerAuthentication(snapshot, {
      namespace: workload.namespace ?? NAMESPACE,
      labels: workload.labels ?? labelsOfAll(policies),
    });
    const ports = Object.keys(expected.perPort ?? {});
    return judged(snapshot, {
      expected: {
        mode: expected.mode,
        ports: ports.map((each) => `${each} ${expected.perPort?.[each]}`),
        tls: expected.tls,
      },
      got: {
        mode: port === undefined ? composed.workload.mode : mutualTlsOfPort(composed, port).mode,
        ports: expected.perPort === undefined ? [] : portsOf(composed),
      },
    });
  },
});

/** Names in cases may have what no name of Kubernetes has; their order stays. */
function completed(object: UpstreamObject, index: number): UpstreamObject {
  const { name = `unnamed-${index}`, namespace = NAMESPACE, ...rest } = object.metadata ?? {};
  return { ...object, metadata: { ...rest, namespace, name: String(name).replaceAll(" ", "-") } };
}

/** All policies of such a case are said to apply. */
function labelsOfAll(policies: readonly UpstreamObject[]): Readonly<Record<string, string>> {
  const selectors = policies.map(({ spec }) => spec as Selecting | undefined);
  return Object.assign({}, ...selectors.map((spec) => spec?.selector?.matchLabels));
}

interface Selecting {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
}

function portsOf({ ports }: ComposedPeerAuthentication): readonly string[] {
  return [...ports].map(([port, { mode }]) => `${port} ${mode}`);
}

function judged(
  snapshot: MeshSnapshot,
  {
    expected,
    got,
  }: {
    readonly expected: {
      readonly mode: string;
      readonly ports: readonly string[];
      readonly tls?: ExpectedTls | null | undefined;
    };
    readonly got: { readonly mode: string; readonly ports: readonly string[] };
  },
): CaseOutcome {
  const told = (mode: string, ports: readonly string[]): string =>
    `${mode}; ${[...ports].sort().join(", ")}`;
  const { tls } = expected;
  if (tls === undefined) {
    return compare({
      expected: told(expected.mode, expected.ports),
      got: told(got.mode, got.ports),
    });
  }
  return compare({
    expected: `${told(expected.mode, expected.ports)}; ${tls === null ? "no TLS" : tellTls(tls)}`,
    got: `${told(got.mode, got.ports)}; ${got.mode === "DISABLE" ? "no TLS" : tellServed(snapshot, tls)}`,
  });
}

function tellTls({
  minVersion,
  maxVersion,
}: Pick<ExpectedTls, "minVersion" | "maxVersion">): string {
  return `${minVersion} to ${maxVersion}`;
}

/** A suite that Istio does not serve is told; that we serve fewer, all of them forward secret, is not (TLS-11). */
function tellServed(snapshot: MeshSnapshot, expected: ExpectedTls | null): string {
  const served = servedTls(snapshot);
  const further = served.cipherSuites.filter(
    (suite) => expected?.cipherSuites.includes(suite) === false,
  );
  return [tellTls(served), ...further].join(", and ");
}
