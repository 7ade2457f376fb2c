/** What is left of a set of policies for workloads of some namespaces: theirs, and the mesh's. */
import { ofScope } from "../../../src/policy/mesh-snapshot.ts";
import { namespaceMutualTls } from "../../../src/policy/mutual-tls.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { readPolicySet, snapshotOfSet } from "./policy-sets.ts";

type FilterCase = ConformanceCase & {
  readonly policySet: string;
  readonly namespaces: readonly string[];
  readonly expectedNamespacesWithPeerAuthn: readonly string[];
  readonly expectedAbsent?: readonly string[];
  readonly expectedGlobalMode?: string;
  readonly expectedNamespaceModes?: Readonly<Record<string, string>>;
};

export const namespaceFilter: TableRunner = table<FilterCase>({
  fields: [
    "policySet",
    "namespaces",
    "expectedNamespacesWithPeerAuthn",
    "expectedAbsent",
    "expectedGlobalMode",
    "expectedNamespaceModes",
  ],
  run(test, folder) {
    const { expectedAbsent = [], expectedGlobalMode, expectedNamespaceModes = {} } = test;
    const { peerAuthentications, settings } = snapshotOfSet(readPolicySet(folder, test.policySet));
    const { rootNamespace } = settings;
    const seen = [rootNamespace, ...test.namespaces].flatMap((namespace) =>
      ofScope(peerAuthentications, { rootNamespace, namespace }),
    );
    const modeOf = (namespace: string): string =>
      namespaceMutualTls(seen, { rootNamespace, namespace }).mode;
    const left = new Set(seen.map(({ meta }) => meta.namespace));
    return compare({
      expected: told({
        namespaces: test.expectedNamespacesWithPeerAuthn,
        absent: expectedAbsent,
        modes: expectedNamespaceModes,
        // No policy of the mesh is as one that says PERMISSIVE (PA-9, PA-12).
        global: expectedGlobalMode === "UNKNOWN" ? "PERMISSIVE" : expectedGlobalMode,
      }),
      got: told({
        namespaces: [...left],
        absent: expectedAbsent.filter((namespace) => !left.has(namespace)),
        modes: Object.fromEntries(
          Object.keys(expectedNamespaceModes).map((namespace) => [namespace, modeOf(namespace)]),
        ),
        global: expectedGlobalMode && modeOf(rootNamespace),
      }),
    });
  },
});

function told({
  namespaces,
  absent,
  modes,
  global,
}: {
  readonly namespaces: readonly string[];
  readonly absent: readonly string[];
  readonly modes: Readonly<Record<string, string>>;
  readonly global: string | undefined;
}): string {
  const perNamespace = Object.entries(modes).map(([namespace, mode]) => `${namespace} ${mode}`);
  return [[...namespaces].sort(), absent, perNamespace, [global]].map(String).join("; ");
}
