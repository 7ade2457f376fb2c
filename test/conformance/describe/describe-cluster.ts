/** `x describe` of a cluster: its objects in, the text out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  describePod,
  describeService,
} from "../../../src/cli/istioctl/describe/describe-cluster.ts";
import { readConfigDump } from "../../../src/envoy/config-dump.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { NOTHING, objectsOf } from "./cluster-of-case.ts";

type ClusterCase = ConformanceCase & {
  readonly args: readonly string[];
  readonly k8sConfigs: readonly { readonly kind: string }[];
  readonly istioConfigs: readonly { readonly kind: string }[];
  readonly expectedOutput: string;
  readonly namespace: string;
  readonly istioNamespace: string;
  /** `inputs/x.json for the proxy named in the upstream test` */
  readonly proxyConfigDumps: string;
};

export const describeCluster: TableRunner = table<ClusterCase>({
  fields: [
    "args",
    "k8sConfigs",
    "istioConfigs",
    "expectedOutput",
    "namespace",
    "istioNamespace",
    "proxyConfigDumps",
  ],
  run: async (test, folder) => {
    const { args, k8sConfigs, istioConfigs, namespace } = test;
    const [file = ""] = test.proxyConfigDumps.split(" ");
    const config = readConfigDump(JSON.parse(readFileSync(join(folder, file), "utf8")));
    // An ingress that no Gateway selects has an empty dump upstream.
    const served = istioConfigs.some(({ kind }) => kind === "Gateway");
    const cluster = {
      objects: objectsOf([...k8sConfigs, ...istioConfigs]),
      configOf: async ({ name }: { readonly name: string }) =>
        name.startsWith("ingress") && !served ? NOTHING : config,
      namespace,
    };
    const named = { namespace, name: args[1] ?? "" };
    const lines = await (args[0] === "pod" || args[0] === "po"
      ? describePod(named, cluster)
      : describeService(named, cluster));
    return compare({
      expected: test.expectedOutput,
      got: lines.map((line) => `${line}\n`).join(""),
    });
  },
});
