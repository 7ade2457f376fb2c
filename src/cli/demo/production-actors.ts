/** Who plays in `examples/production`. */
import type { Actor, Callee } from "./actor.ts";

const inProduction = (owner: string, serviceAccount: string = owner): Actor => ({
  owner,
  namespace: "production",
  serviceAccount,
});
export const INGRESS: Callee = {
  owner: "ingress",
  namespace: "istio-ingress",
  serviceAccount: "ingress",
  port: 8080,
};
export const FRONTEND: Callee = { ...inProduction("frontend"), port: 8080 };
export const API: Callee = { ...inProduction("api"), port: 8080 };
export const DATABASE: Callee = { ...inProduction("database"), port: 5432 };
export const COMPROMISED: Actor = inProduction("compromised", "compromised-service");
export const MONITORING: Actor = {
  owner: "monitoring",
  namespace: "monitoring",
  serviceAccount: "prometheus",
};
export const BATCH: Actor = {
  owner: "batch",
  namespace: "batch",
  serviceAccount: "batch-processor",
};
export const OUTSIDER: Actor = { owner: "outsider", namespace: "legacy" };
