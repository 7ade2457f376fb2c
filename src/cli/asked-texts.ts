/** What is written of a mesh, as texts: of files, of standard input, or of the mesh that runs. */
import type { Issue } from "../api/resource.ts";
import { type ReadTexts, readResourceInput, readTexts } from "../control/resource-files.ts";
import type { WrittenText } from "../control/written-texts.ts";
import { DataDirectory } from "../local/data-directory.ts";
import { findMesh, MeshClient, NoMeshError } from "../local/joining/mesh-client.ts";
import type { Workload } from "../policy/workload.ts";

export const STANDARD_INPUT = "-";
const NOTHING: ReadTexts = { texts: [], issues: [] };

export interface AskedTexts {
  readonly texts: readonly WrittenText[];
  /** Files that cannot be read. */
  readonly issues: readonly Issue[];
  readonly of: "files" | "running mesh";
  /** Of the running mesh. */
  readonly workloads: readonly Workload[];
}

/**
 * @param asked.paths files, folders and `-`; none: the mesh that runs with its data in `asked.data`
 * @throws NoMeshError
 */
export async function askedTexts({
  paths,
  data,
  input = process.stdin,
}: {
  readonly paths: readonly string[];
  readonly data: string;
  readonly input?: AsyncIterable<Uint8Array>;
}): Promise<AskedTexts> {
  if (paths.length === 0) {
    const dataDirectory = new DataDirectory(data);
    const texts = await writtenTexts(dataDirectory);
    const { workloads } = await findMesh(dataDirectory);
    return { texts, issues: [], of: "running mesh", workloads };
  }
  const files = paths.filter((path) => path !== STANDARD_INPUT);
  const read = await readTexts(files, { namedPipes: "read" });
  const piped = paths.includes(STANDARD_INPUT) ? await inputText(input) : NOTHING;
  const texts = [...read.texts, ...piped.texts];
  return { texts, issues: [...read.issues, ...piped.issues], of: "files", workloads: [] };
}

async function inputText(input: AsyncIterable<Uint8Array>): Promise<ReadTexts> {
  const file = "<stdin>";
  const text = await readResourceInput(file, input);
  return typeof text === "object"
    ? { texts: [], issues: [text] }
    : { texts: [{ file, text }], issues: [] };
}

async function writtenTexts(dataDirectory: DataDirectory): Promise<readonly WrittenText[]> {
  const client = await MeshClient.connect(dataDirectory);
  try {
    const reply = await client.ask({ type: "written" });
    if (reply.type !== "written") throw new NoMeshError("the mesh is of another version");
    return reply.texts;
  } finally {
    client.close();
  }
}
