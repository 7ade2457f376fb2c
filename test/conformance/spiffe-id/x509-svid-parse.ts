/** X509-SVIDs out of PEM: the identity, or what is wrong with chain or key. */
import { parseSvid } from "../../kit/parse-svid.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { inWordsOf } from "./svid-problem.ts";

type ParseCase = ConformanceCase & {
  readonly certs: string;
  readonly key: string;
  /** Where upstream has them. */
  readonly certsFile?: string;
  readonly keyFile?: string;
  readonly id?: string;
  readonly numCerts?: number;
  readonly errorContains?: string;
};

export const x509SvidParse: TableRunner = table<ParseCase>({
  fields: ["certs", "key", "certsFile", "keyFile", "id", "numCerts", "errorContains"],
  run({ certs, key, id, numCerts, errorContains }) {
    const expected =
      errorContains === undefined ? `${id}, ${numCerts} certificates` : `refused: ${errorContains}`;
    return compare({ expected, got: parse({ certs, key, errorContains }) });
  },
});

function parse({
  certs,
  key,
  errorContains,
}: Pick<ParseCase, "certs" | "key"> & { readonly errorContains: string | undefined }): string {
  try {
    const { id, certificates } = parseSvid({ certificates: certs, privateKey: key });
    return `${id}, ${certificates.length} certificates`;
  } catch (error) {
    return `refused: ${inWordsOf(errorContains, error)}`;
  }
}
