/** Kinds of the Gateway API that are installed in a version too old to be read. */
import { type Analyzer, finding } from "../finding.ts";

const VERSION = "gateway.networking.k8s.io/bundle-version";

/** Source: `pkg/config/schema/gatewayapi/minimumversions.go` of istio/istio. */
const OLDEST: ReadonlyMap<string, string> = new Map([
  ["grpcroutes.gateway.networking.k8s.io", "1.1.0"],
  ["backendtlspolicies.gateway.networking.k8s.io", "1.4.0"],
  ["tlsroutes.gateway.networking.k8s.io", "1.5.0"],
  ["tcproutes.gateway.networking.k8s.io", "1.6.0"],
]);

export const gatewayApiVersions: Analyzer = {
  name: "k8sgateway.CRDVersionAnalyzer",
  about: "kinds of the Gateway API that are too old",
  *analyze(mesh) {
    for (const definition of mesh.of("CustomResourceDefinition")) {
      const oldest = OLDEST.get(definition.name);
      const [, installed] =
        /^v?(\d+\.\d+\.\d+.*)$/.exec(definition.annotations[VERSION] ?? "") ?? [];
      if (oldest === undefined || installed === undefined) continue;
      if (isOlder(installed, oldest))
        yield finding(definition, "IST0176", [definition.name, installed, oldest]);
    }
  },
};

/** What comes before a release counts as the release. */
function isOlder(one: string, other: string): boolean {
  const numbers = (text: string): readonly number[] =>
    (text.split(/[-+]/)[0] ?? "").split(".").map(Number);
  const [left, right] = [numbers(one), numbers(other)];
  const at = left.findIndex((number, index) => number !== right[index]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}
