/** VirtualServices that send to subsets that no DestinationRule defines. */
import { type Analyzer, finding } from "../finding.ts";
import { serviceOfHost } from "../hosts.ts";
import { routeDestinations } from "../route-destinations.ts";

export const destinationSubsets: Analyzer = {
  name: "virtualservice.DestinationRuleAnalyzer",
  about: "VirtualServices that name subsets nobody defines",
  *analyze(mesh) {
    const defined = new Set(
      mesh.of("DestinationRule").flatMap(({ spec, namespace }) =>
        spec.at("subsets").items.map((subset) => {
          const service = serviceOfHost(namespace, spec.at("host").text);
          return `${service}+${subset.at("name").text}`;
        }),
      ),
    );
    for (const service of mesh.of("VirtualService"))
      for (const { destination, isMirror } of routeDestinations(service)) {
        const [host, subset] = [destination.at("host").text, destination.at("subset")];
        if (subset.text === "") continue;
        if (defined.has(`${serviceOfHost(service.namespace, host)}+${subset.text}`)) continue;
        const what = `${isMirror ? "mirror" : "host"}+subset in destinationrule`;
        yield finding(service, "IST0101", [what, `${host}+${subset.text}`], subset);
      }
  },
};
