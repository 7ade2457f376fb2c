/** How a mesh is watched, and whether its workloads can be told apart. */
import type { Field } from "../field.ts";
import type { Finding } from "../finding.ts";
import { allOf, cannotTell, met, notMet, type Practice, placed } from "../practice.ts";
import { nameOf, podsInMesh, WITH_SIDECAR } from "./mutual-tls.ts";

export const watchedDenials: Practice = {
  id: "watched-denials",
  practice: "Monitor RBAC denials and alert on unexpected patterns",
  fix: "hauberk logs --denied --follow; remove `disabled: true` from Telemetry",
  judge({ mesh }) {
    const silenced = mesh.of("Telemetry").flatMap((telemetry) => {
      const logs = telemetry.spec.at("accessLogging").items;
      const overrides = telemetry.spec
        .at("metrics")
        .items.flatMap((one) => one.at("overrides").items);
      return [...logs, ...overrides]
        .filter((one) => one.at("disabled").isTrue)
        .map(
          (one) =>
            `${placed(telemetry, one)} turns ${logs.includes(one) ? "access logs" : "a metric"} off`,
        );
    });
    if (silenced.length > 0) return notMet(...silenced);
    return met("every sidecar logs and counts its decisions, and no Telemetry turns that off");
  },
};

export const regularAnalysis: Practice = {
  id: "regular-analysis",
  practice: "Audit policies regularly with istioctl analyze",
  fix: "hauberk analyze FOLDER, in every change's checks",
  judge({ findings, unanalyzed }) {
    const grave = findings.filter(({ level }) => level !== "Info");
    if (grave.length > 0) return notMet(...grave.map(inShort));
    return unanalyzed.length > 0
      ? cannotTell(...unanalyzed)
      : met("hauberk analyze finds no error and no warning");
  },
};

/** A notice says in its words what it is about. */
function inShort({ code, resource, message, source }: Finding): string {
  return `${code} ${resource || message} (${source.file}:${source.line})`;
}

export const ownAccounts: Practice = {
  id: "own-service-accounts",
  practice: "Use separate service accounts for each deployment (not the default SA)",
  fix: "spec:\n  template:\n    spec: {serviceAccountName: NAME}",
  judge({ mesh }) {
    const pods = podsInMesh(mesh);
    if (pods.length === 0) return cannotTell("no workload of the mesh has a sidecar");
    const users = new Map<string, string[]>();
    for (const pod of pods) {
      const account = `${pod.namespace}/${accountOf(pod.spec)}`;
      users.set(account, [...(users.get(account) ?? []), nameOf(pod)]);
    }
    const faults = [...users].flatMap(([account, names]) => {
      if (account.endsWith("/default")) return names.map((name) => `${name} runs as ${account}`);
      return names.length > 1 ? [`${names.join(" and ")} share ${account}`] : [];
    });
    if (faults.length > 0) return notMet(...faults);
    return met(`an account of its own for ${allOf(users.size, ...WITH_SIDECAR)}`);
  },
};

function accountOf(spec: Field): string {
  return spec.at("serviceAccountName").text || "default";
}
