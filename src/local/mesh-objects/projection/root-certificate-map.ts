/** The ConfigMap by which programs of a namespace learn whom the mesh trusts (CA-52). */
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";

/** `PILOT_CA_CERT_CONFIGMAP` of Istio, unless it says otherwise. */
export const ROOTS_NAME = "istio-ca-root-cert";
/** Istio's agent looks for a file of this name. */
export const ROOTS_KEY = "root-cert.pem";
/** Istio passes them by. */
const NOT_TOLD = ["kube-public", "kube-node-lease", "local-path-storage"];

/** Whether the roots are told in the namespace. */
export function isToldRoots(namespace: string): boolean {
  return !NOT_TOLD.includes(namespace);
}

/** @param rootPem PEM of every root that is trusted now */
export function rootCertificateMap(namespace: string, rootPem: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: ROOTS_NAME, namespace, labels: { "istio.io/config": "true" } },
    data: { [ROOTS_KEY]: rootPem },
  };
}
