/** The changes of a mesh, one after the other. One that waits for something gives way as soon as another is wished for. */
import { setMaxListeners } from "node:events";
import { InTurn } from "../runtime/in-turn.ts";

export class ChangeQueue {
  readonly #turns: InTurn = new InTurn();
  /** How often something else was wished of the mesh. */
  #wishes = 0;
  readonly #closing: AbortController = new AbortController();

  constructor() {
    setMaxListeners(0, this.#closing.signal); // each pod that is being stopped listens
  }

  /** Aborts when the mesh ends. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Whatever is under way is not what is wanted any more. */
  wish(): void {
    this.#wishes++;
  }

  /** @param work is told how to find out whether something else is wished by now */
  change(work: (isWanted: () => boolean) => Promise<void>): Promise<void> {
    const wish = ++this.#wishes;
    return this.inTurn(() => work(() => this.#wishes === wish && !this.closing.aborted));
  }

  /** Without being a wish: what is under way goes on before. */
  inTurn(work: () => Promise<void>): Promise<void> {
    return this.#turns.run(async () => (this.closing.aborted ? undefined : work()));
  }

  /** Nothing begins from now on. Resolves once what is under way has ended, in whichever way. */
  close(): Promise<void> {
    this.#closing.abort();
    return this.#turns.run(async () => undefined);
  }
}
