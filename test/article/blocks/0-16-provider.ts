import type { ArticleBlock } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 16,
  proves:
    "the authorizer that the mesh configuration names is known; the section stands in a file, as it would in Helm's values, since no cluster takes it by kubectl",
  deeds: [
    { run: "kubectl apply -f given/opa-that-loads.yaml" },
    { run: "cp given/mesh-config-with-provider.yaml manifests/mesh-config.yaml" },
  ],
  questions: [
    { ask: "kubectl apply --dry-run=server -f seeds/15-opa-custom-policy.yaml", answer: /created/ },
    {
      ask: "istioctl analyze manifests/mesh-config.yaml seeds/15-opa-custom-policy.yaml",
      never: /does not define it/,
      code: [0, 1],
    },
  ],
  afterwards: ["cp given/mesh-config-with-provider.yaml manifests/mesh-config.yaml"],
  mutations: [
    {
      name: "the section is gone",
      run: "echo 'meshConfig: {}' > manifests/mesh-config.yaml",
    },
  ],
};
