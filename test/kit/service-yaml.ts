/** The namespace `shop`, which is injected, and one service in it with its Deployment: what a test's own resources are about. */

/** @param ports by name: of the service, and of its container */
export function serviceYaml(name: string, ports: Readonly<Record<string, number>>): string {
  const ofService = Object.entries(ports).map(
    ([port, number]) => `{name: ${port}, port: ${number}}`,
  );
  const ofContainer = Object.values(ports).map((number) => `{containerPort: ${number}}`);
  return `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [${ofService.join(", ")}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: a, image: x, ports: [${ofContainer.join(", ")}]}]}
`;
}
