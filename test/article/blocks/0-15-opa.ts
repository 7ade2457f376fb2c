import { type ArticleBlock, apply } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 15,
  proves:
    "the Deployment of two authorizers, its Service and its rules are taken as they stand; what stands for the image is in mesh/images.yaml, and the rules need one sign changed before OPA loads them",
  needsNamespaces: "two OPAs listen on the same ports, which the articles' Deployment fixes",
  deeds: [apply("13-opa"), { run: "kubectl apply -f given/opa-that-loads.yaml" }],
  questions: [
    {
      ask: "kubectl get deployment opa-authorizer -n istio-system -o jsonpath='{.status.readyReplicas}'",
      answer: /^2$/,
    },
    {
      ask: "kubectl get pods -n istio-system -l app=opa-authorizer -o jsonpath='{.items[0].spec.containers[*].name}'",
      answer: /^opa$/,
    },
  ],
  mutations: [
    {
      name: "the Deployment is deleted",
      run: "kubectl delete --ignore-not-found deployment opa-authorizer -n istio-system",
    },
    {
      name: "one replica is left",
      run: "kubectl scale deployment opa-authorizer -n istio-system --replicas=1",
    },
  ],
};
