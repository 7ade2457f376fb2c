/** `hauberk describe`: what is demanded of the callers of one workload, on each of its ports. Needs no running mesh. */
import { describeWorkload, type WorkloadDescription } from "../../policy/describe-workload.ts";
import { findWorkload, knownWorkloads } from "../find-workload.ts";
import { formatDescription } from "../format-description.ts";
import { formatIssue, formatNotice } from "../format-issue.ts";
import { loadMesh } from "../load-mesh.ts";

export interface DescribeOptions {
  readonly file: readonly string[];
  readonly json?: boolean;
}

/** @returns the exit code: 0, or 1 when the workload is not known or the YAML is faulty */
export async function describeCommand(
  name: string,
  { file, json }: DescribeOptions,
  print: (line: string) => void,
): Promise<number> {
  const { snapshot, issues, notices } = await loadMesh(file);
  const workload = findWorkload(snapshot, name);
  const problems =
    workload === undefined && issues.length === 0
      ? [`${name}: no such workload; known: ${knownWorkloads(snapshot)}`]
      : issues.map(formatIssue);
  if (workload === undefined || problems.length > 0) {
    if (json) print(JSON.stringify({ issues, problems }, null, 2));
    else for (const problem of problems) print(problem);
    return 1;
  }
  const description: WorkloadDescription = describeWorkload(snapshot, workload);
  if (json) print(JSON.stringify({ ...description, notices }, null, 2));
  else {
    const told = notices.length === 0 ? [] : ["", ...notices.map(formatNotice)];
    for (const line of [...formatDescription(description), ...told]) print(line);
  }
  return 0;
}
