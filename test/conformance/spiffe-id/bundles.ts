/** Documents of trust bundles: of those, what holds the JWT keys of trust domains is read here. */
import { parseJwtBundle } from "../../../src/identity/jwt-bundle.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type BundleCase = ConformanceCase & {
  readonly kind: string;
  readonly document: unknown;
  readonly valid: boolean;
};

const READERS = new Map<string, (text: string) => unknown>([["jwtbundle", parseJwtBundle]]);

export const bundles: TableRunner = table<BundleCase>({
  fields: ["kind", "document", "valid"],
  exclusions: [
    {
      reason: "the bundle of the trust domain is served, and no other one is read",
      applies: ({ kind }) => kind === "spiffebundle",
    },
  ],
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
