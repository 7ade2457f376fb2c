/** What istioctl prints of proxies, and says of pods and services. */
import type { SuiteRunner } from "../suite-runner.ts";
import { describeCluster } from "./describe-cluster.ts";
import { istioctlOutput } from "./istioctl-output.ts";

export const describe: SuiteRunner = {
  "describe-cluster": describeCluster,
  "istioctl-output": istioctlOutput,
};
