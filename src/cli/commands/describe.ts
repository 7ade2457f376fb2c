/** `hauberk describe`: what is demanded of the callers of one workload, on each of its ports; of files, or of a mesh that runs. */
import { DEFAULT_DATA_DIRECTORY } from "../../local/data-directory.ts";
import { describeWorkload } from "../../policy/describe-workload.ts";
import { printable } from "../../runtime/printable.ts";
import { findWorkload, workloadHint } from "../find-workload.ts";
import { formatDescription } from "../format-description.ts";
import { formatIssue } from "../format-issue.ts";
import { formatNotices, type NoticeOptions } from "../format-notices.ts";
import { jsonText } from "../json-text.ts";
import { loadAskedMesh } from "../load-mesh.ts";
import type { Printers } from "../print-line.ts";
import { describeTokenKeys } from "../tokens/describe-token-keys.ts";

export interface DescribeOptions extends NoticeOptions {
  /** Absent: the mesh that runs is asked. */
  readonly file?: readonly string[];
  /** Of the mesh that is asked, or, where there are files, asked for keys it fetched, if it runs. */
  readonly data?: string;
  readonly json?: boolean;
}

/** @returns the exit code: 0, or 1 when the workload is not known or the YAML is faulty */
export async function describeCommand(
  name: string,
  { file, json, allNotes, data = DEFAULT_DATA_DIRECTORY }: DescribeOptions,
  { print, warn }: Printers,
): Promise<number> {
  const mesh = await loadAskedMesh({ file, data });
  const { snapshot, issues, notices } = mesh;
  const workload = findWorkload(snapshot, name);
  const unknown = `${name}: no such workload; ${workloadHint(snapshot, name)}`;
  if (workload === undefined || issues.length > 0) {
    const problems = issues.length === 0 ? [unknown] : issues.map(formatIssue);
    if (json) print(jsonText({ issues, problems }));
    else
      for (const line of issues.length === 0 ? [`hauberk: ${unknown}`] : problems)
        warn(printable(line));
    return 1;
  }
  const description = describeWorkload(snapshot, workload);
  const keys = await describeTokenKeys(snapshot, workload, { data });
  if (json) {
    const issuers = description.issuers.map((one, index) => ({ ...one, keys: keys[index]?.data }));
    print(jsonText({ ...description, issuers, notices }));
    return 0;
  }
  const concern = { callee: workload, namespaces: [workload.namespace] };
  const notes = formatNotices(mesh, { concern, allNotes });
  const lines = formatDescription(
    description,
    keys.map(({ words }) => words),
  );
  for (const line of [...lines, ...notes]) print(printable(line));
  return 0;
}
