/** Builds kubectl from its module, or finds the one that was built, and prints its folder. */
import { buildKubectl } from "../../kit/kubectl-in-path.ts";

console.log(await buildKubectl());
