/** What Istio's two gates say of each document: its schema, and istiod's webhook. */

import { toldOnce } from "../../api/parse-report.ts";
import type { ReadDocument } from "../../api/parse-resources.ts";
import type { Issue, Notice } from "../../api/resource.ts";
import { type Analyzer, type Finding, findingAt } from "../finding.ts";

const UNREACHABLE = /\b(is never reached|never matches)\b/;
const OF_MATCH = /\.match\[\d+\](\.uri\.prefix)?$/;

export const schemaValidation: Analyzer = {
  name: "schemaValidation.CollectionValidationAnalyzer",
  about: "what the schema of a kind and istiod's webhook refuse or warn of",
  *analyze({ documents }) {
    for (const document of documents) {
      if (document.gates !== "asked") continue;
      for (const issue of toldOnce(document.issues)) yield refusal(document, issue);
      for (const notice of document.notices)
        if (notice.level === "webhook") yield warning(document, notice);
    }
  },
};

function refusal(document: ReadDocument, { source, path, problem }: Issue): Finding {
  return findingAt(placeOf(document, source), "IST0106", [`${path} ${problem}`.trim()]);
}

function warning(document: ReadDocument, { source, path, message }: Notice): Finding {
  const place = placeOf(document, source);
  const [, rule = "", match = ""] = /\[(\d+)\](?:\.match\[(\d+)\])?/.exec(path) ?? [];
  const isOfMatch = OF_MATCH.test(path);
  if (document.kind === "VirtualService" && isOfMatch && /prefix$|match\[\d+\]$/.test(path)) {
    const [, earlier = ""] = /\[(\d+)\]/.exec(message) ?? [];
    return findingAt(place, "IST0131", [`#${rule}`, `#${match}`, `#${earlier}`]);
  }
  if (document.kind === "VirtualService" && UNREACHABLE.test(message))
    return findingAt(place, "IST0130", [`#${rule}`, message]);
  return findingAt(place, "IST0133", [`${path} ${message}`.trim()]);
}

function placeOf(
  { kind = "", namespace, name = "" }: ReadDocument,
  source: Finding["source"],
): Pick<Finding, "source" | "resource" | "namespace"> {
  const title = namespace === undefined ? name : `${namespace}/${name}`;
  return { source, resource: `${kind} ${title}`, namespace: namespace ?? "default" };
}
