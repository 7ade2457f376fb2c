/** Documents of trust bundles: those of a trust domain as a whole, and those of its JWT keys alone. */
import { parseJwtBundle } from "../../../src/identity/jwt-bundle.ts";
import { parseSpiffeBundle } from "../../../src/identity/spiffe-bundle.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type BundleCase = ConformanceCase & {
  readonly kind: string;
  readonly document: unknown;
  readonly valid: boolean;
};

const READERS = new Map<string, (text: string) => unknown>([
  ["spiffebundle", parseSpiffeBundle],
  ["jwtbundle", parseJwtBundle],
]);

export const bundles: TableRunner = table<BundleCase>({
  fields: ["kind", "document", "valid"],
  run({ kind, document, valid }) {
    const read = READERS.get(kind);
    if (read === undefined) return { outcome: "skipped", reason: `no reader for "${kind}"` };
    const text = typeof document === "string" ? document : JSON.stringify(document);
    return compare({ expected: valid ? "valid" : "refused", got: judge(() => read(text)) });
  },
});

function judge(read: () => unknown): string {
  try {
    read();
    return "valid";
  } catch {
    return "refused";
  }
}
