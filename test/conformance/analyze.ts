/** istioctl's analyzers: one of them, asked of some files, says these codes of these resources and no others. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { analyzeTexts } from "../../src/analysis/analyze-texts.ts";
import { type ConformanceCase, compare, type SuiteRunner } from "./suite-runner.ts";
import { table } from "./table-runner.ts";

interface ExpectedMessage {
  readonly code: string;
  readonly level: string;
  readonly resource: string;
}

type AnalyzeCase = ConformanceCase & {
  readonly analyzer: string;
  readonly inputs: readonly string[];
  readonly meshConfigFile?: string;
  readonly meshNetworksFile?: string;
  readonly expected: readonly ExpectedMessage[];
};

export const analyze: SuiteRunner = {
  analyzers: table<AnalyzeCase>({
    fields: ["analyzer", "inputs", "meshConfigFile", "meshNetworksFile", "expected"],
    exclusions: [
      {
        reason:
          "reads MeshNetworks, which describes the networks of Kubernetes clusters; meshes are joined by RemoteCluster here, which names no network",
        applies: ({ meshNetworksFile }) => meshNetworksFile !== undefined,
      },
    ],
    run({ analyzer, inputs, meshConfigFile, expected }, folder) {
      const files = meshConfigFile === undefined ? inputs : [...inputs, meshConfigFile];
      const texts = files.map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
      const found = analyzeTexts(texts, { now: new Date(), names: [analyzer] });
      return compare({ expected: said(expected), got: said(found) });
    },
  }),
};

function said(messages: readonly ExpectedMessage[]): string {
  const told = messages.map(({ code, level, resource }) => `${code} ${level} ${resource}`);
  return told.length === 0 ? "nothing" : told.sort().join("; ");
}
