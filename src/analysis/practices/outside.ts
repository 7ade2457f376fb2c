/** What comes from outside, and who is asked about it: tokens, authorizers, rates, networks. */
import type { Labels } from "../../api/resource.ts";
import { type AnalyzedMesh, type AnalyzedPod, selects } from "../analyzed-mesh.ts";
import { asksForToken } from "../analyzers/required-tokens.ts";
import { meshNamespaces, podsOf } from "../authorization-rules.ts";
import type { Field } from "../field.ts";
import { selectorTakes } from "../label-selection.ts";
import {
  allOf,
  cannotTell,
  counted,
  fixedIn,
  met,
  notMet,
  type Practice,
  placed,
} from "../practice.ts";
import { nameOf, podsInMesh, WITH_SIDECAR } from "./mutual-tls.ts";

const REQUIRE_TOKENS = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: NAMESPACE}
spec: {selector: {matchLabels: {app: NAME}}, jwtRules: [{issuer: "https://ISSUER"}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-tokens, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: NAME}}
  action: DENY
  rules: [{from: [{source: {notRequestPrincipals: ["*"]}}]}]`;

const LIMIT = `apiVersion: hauberk.dev/v1alpha1
kind: RateLimit
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: NAME}}
  limits: [{name: shared, requests: 50, per: 1s, fair: true}]`;

export const requiredTokens: Practice = {
  id: "tokens-from-outside",
  practice: "Require JWT for external traffic via RequestAuthentication",
  fix: REQUIRE_TOKENS,
  judge({ mesh }) {
    const gateways = mesh.of("Gateway");
    const pods = gateways.flatMap(({ spec }) => podsBehind(spec.at("selector").labels, mesh));
    const names = mesh.of("KubernetesGateway").map(({ name }) => name);
    if (gateways.length + names.length === 0)
      return cannotTell("no Gateway lets anything in from outside");
    const served = [...routedPods(mesh), ...pods];
    const checked = mesh.of("RequestAuthentication").flatMap((one) => podsOf(one, mesh));
    const targeted = mesh
      .of("RequestAuthentication")
      .filter(({ spec }) => spec.at("targetRef").exists || spec.at("targetRefs").size > 0);
    const guarded = served.filter((pod) => checked.includes(pod) && asksForToken(pod, mesh));
    if (guarded.length > 0) return met(...guarded.map((pod) => `${nameOf(pod)} asks for a token`));
    if (targeted.length > 0)
      return cannotTell(...targeted.map((one) => `${placed(one)} is for a gateway by reference`));
    const open = [...gateways, ...mesh.of("KubernetesGateway")];
    return fixedIn(
      notMet(...open.map((one) => `${placed(one)}: nobody behind it asks for a token`)),
      routedPods(mesh).map(({ namespace }) => namespace),
    );
  },
};

function podsBehind(selector: Labels, mesh: AnalyzedMesh): readonly AnalyzedPod[] {
  return mesh.pods.filter(({ labels }) => selects(selector, labels));
}

/** Pods behind the Services that routes from outside lead to. */
function routedPods(mesh: AnalyzedMesh): readonly AnalyzedPod[] {
  const routes = [...mesh.of("HTTPRoute"), ...mesh.of("VirtualService")];
  return routes.flatMap(({ spec, namespace }) => {
    const rules = [...spec.at("rules").items, ...spec.at("http").items];
    const names = rules.flatMap((rule) => [
      ...rule.at("backendRefs").items.map((one) => one.at("name").text),
      ...rule
        .at("route")
        .items.map((one) => one.at("destination", "host").text.split(".")[0] ?? ""),
    ]);
    return names.flatMap((name) => {
      const selector = mesh.find("Service", namespace, name)?.spec.at("selector");
      if (selector === undefined || selector.size === 0) return [];
      return podsBehind(selector.labels, mesh).filter((pod) => pod.namespace === namespace);
    });
  });
}

const AUTHORIZERS = ["envoyExtAuthzHttp", "envoyExtAuthzGrpc"];

export const closedAuthorizers: Practice = {
  id: "authorizers-fail-closed",
  practice: "Set failOpen: false for external authorization providers",
  fix: "extensionProviders:\n- name: NAME\n  envoyExtAuthzGrpc: {failOpen: false}",
  judge({ mesh }) {
    const providers = mesh.meshConfig.at("extensionProviders").items;
    const asked = providers.flatMap((provider) =>
      AUTHORIZERS.map((kind) => ({ provider, settings: provider.at(kind) })),
    );
    const authorizers = asked.filter(({ settings }) => settings.exists);
    const open = authorizers.filter(({ settings }) => settings.at("failOpen").isTrue);
    const told = ({ provider, settings }: (typeof authorizers)[number]): string =>
      `authorizer ${provider.at("name").text} (line ${settings.line}) lets all in when it is away`;
    if (open.length > 0) return notMet(...open.map(told));
    if (authorizers.length === 0) return met("no external authorizer is defined");
    return met(
      `${counted(authorizers.length, "external authorizer")}, none that lets anybody in when it is away`,
    );
  },
};

export const rateLimits: Practice = {
  id: "rate-limits",
  practice: "Implement rate limiting at the mesh level",
  fix: LIMIT,
  judge({ mesh }) {
    const limits = [
      ...mesh.of("RateLimit"),
      ...mesh.of("EnvoyFilter").filter(({ spec }) => limitsRates(spec)),
    ];
    return limits.length > 0
      ? met(...limits.map((one) => placed(one)))
      : fixedIn(notMet("no RateLimit limits anything"), onlyNamespace(mesh));
  },
};

/** One limit is enough: of several namespaces, none is named. */
function onlyNamespace(mesh: AnalyzedMesh): readonly string[] {
  const namespaces = meshNamespaces(mesh);
  return namespaces.length === 1 ? namespaces : [];
}

function limitsRates(spec: Field): boolean {
  return spec
    .at("configPatches")
    .items.some((patch) => /ratelimit/.test(patch.at("patch", "value", "name").text));
}

export const networkPolicies: Practice = {
  id: "network-policies",
  practice: "Combine with Kubernetes NetworkPolicies for defense in depth",
  fix: "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny-all, namespace: NAMESPACE}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n# It lets nobody in: apply it together with policies that admit each caller (spec.ingress).",
  judge({ mesh }) {
    const pods = podsInMesh(mesh);
    if (pods.length === 0) return cannotTell("no workload of the mesh has a sidecar");
    const policies = mesh.of("NetworkPolicy");
    const bare = pods.filter(
      (pod) =>
        !policies.some(
          ({ namespace, spec }) =>
            namespace === pod.namespace && selectorTakes(spec.at("podSelector"), pod.labels),
        ),
    );
    return bare.length === 0
      ? met(`a NetworkPolicy selects ${allOf(pods.length, ...WITH_SIDECAR)}`)
      : fixedIn(
          notMet(...bare.map((pod) => `${nameOf(pod)}: no NetworkPolicy selects it`)),
          bare.map(({ namespace }) => namespace),
        );
  },
};
