/** What Kubernetes fills into Pods and the templates they are made from. Source: pkg/apis/core/v1/defaults.go. */
import { objectAt, textAt } from "../json-access.ts";
import type { JsonObject } from "../kubernetes-object.ts";
import { always, each, withFields, within } from "./default-fields.ts";

const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

export function podTemplateWithDefaults(template: JsonObject): JsonObject {
  return always(
    always(template, "metadata", (metadata) => metadata),
    "spec",
    podSpecWithDefaults,
  );
}

export function podSpecWithDefaults(spec: JsonObject): JsonObject {
  const account = textAt(spec, "serviceAccountName") || textAt(spec, "serviceAccount");
  const named = account === "" ? {} : { serviceAccount: account, serviceAccountName: account };
  const filled = withFields(
    { ...spec, ...named },
    {
      dnsPolicy: "ClusterFirst",
      restartPolicy: "Always",
      schedulerName: "default-scheduler",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    },
  );
  const container = containerWithDefaults(spec["hostNetwork"] === true);
  const lists = ["containers", "initContainers", "ephemeralContainers"];
  const contained = lists.reduce((sum, name) => each(sum, name, container), filled);
  return each(contained, "volumes", volumeWithDefaults);
}

/** Only of Pods themselves: what is limited is also asked for, where nothing is said of that. */
export function podWithDefaults(spec: JsonObject): JsonObject {
  const filled = withFields(podSpecWithDefaults(spec), { enableServiceLinks: true });
  const asked = (container: JsonObject): JsonObject =>
    within(container, "resources", (resources) => {
      const limits = objectAt(resources, "limits");
      if (Object.keys(limits).length === 0) return resources;
      return { ...resources, requests: { ...limits, ...objectAt(resources, "requests") } };
    });
  return each(each(filled, "containers", asked), "initContainers", asked);
}

function containerWithDefaults(onHost: boolean): (container: JsonObject) => JsonObject {
  return (container) => {
    let filled = withFields(container, {
      imagePullPolicy: pullPolicy(textAt(container, "image")),
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
    });
    filled = each(filled, "ports", (port) => {
      const reached = onHost ? withFields(port, { hostPort: port["containerPort"] }) : port;
      return withFields(reached, { protocol: "TCP" });
    });
    filled = each(filled, "env", (variable) => within(variable, "valueFrom", withFieldVersion));
    for (const probe of ["livenessProbe", "readinessProbe", "startupProbe"]) {
      filled = within(filled, probe, probeWithDefaults);
    }
    return within(filled, "lifecycle", (lifecycle) =>
      ["postStart", "preStop"].reduce(
        (sum, hook) => within(sum, hook, (action) => within(action, "httpGet", askingOverHttp)),
        lifecycle,
      ),
    );
  };
}

/** Of an image whose tag moves, what is new is fetched. */
function pullPolicy(image: string): "Always" | "IfNotPresent" {
  const [named, digest] = image.split("@");
  if (digest !== undefined) return "IfNotPresent";
  const tag = /:([^:/]+)$/.exec(named ?? "")?.[1] ?? "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function withFieldVersion(source: JsonObject): JsonObject {
  const versioned = within(source, "fieldRef", (field) => withFields(field, { apiVersion: "v1" }));
  return within(versioned, "resourceFieldRef", (field) => withFields(field, { divisor: "0" }));
}

function probeWithDefaults(probe: JsonObject): JsonObject {
  const filled = withFields(within(probe, "httpGet", askingOverHttp), {
    failureThreshold: 3,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 1,
  });
  return within(filled, "grpc", (grpc) => withFields(grpc, { service: "" }));
}

const askingOverHttp = (action: JsonObject): JsonObject =>
  withFields(action, { path: "/", scheme: "HTTP" });

function volumeWithDefaults(volume: JsonObject): JsonObject {
  const { name: _, ...sources } = volume;
  if (Object.keys(sources).length === 0) return { ...volume, emptyDir: {} };
  const mode = { defaultMode: FILE_MODE };
  let filled = volume;
  for (const source of ["configMap", "secret"]) {
    filled = within(filled, source, (one) => withFields(one, mode));
  }
  filled = within(filled, "downwardAPI", (one) =>
    withFields(each(one, "items", withFieldVersion), mode),
  );
  filled = within(filled, "hostPath", (one) => withFields(one, { type: "" }));
  return within(filled, "projected", (one) =>
    withFields(each(one, "sources", projectionWithDefaults), mode),
  );
}

function projectionWithDefaults(source: JsonObject): JsonObject {
  const token = within(source, "serviceAccountToken", (one) =>
    withFields(one, { expirationSeconds: TOKEN_SECONDS }),
  );
  return within(token, "downwardAPI", (one) => each(one, "items", withFieldVersion));
}
