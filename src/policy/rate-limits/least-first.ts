/** Names with a number each, of which the least is known: a binary heap that can find, and change, what is in it. */
export class LeastFirst {
  readonly #places = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #values: number[] = [];

  get size(): number {
    return this.#names.length;
  }

  /** The least number; infinite when there is none. */
  get least(): number {
    return this.#values[0] ?? Number.POSITIVE_INFINITY;
  }

  get(name: string): number | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.#values[place];
  }

  set(name: string, value: number): void {
    const known = this.#places.get(name);
    const place = known ?? this.#names.length;
    this.#put(place, name, value);
    this.#sink(this.#rise(place));
  }

  removeLeast(): void {
    const [name] = this.#names;
    const last = this.#names.pop();
    const value = this.#values.pop();
    if (name === undefined || last === undefined || value === undefined) return;
    this.#places.delete(name);
    if (this.#names.length === 0) return;
    this.#put(0, last, value);
    this.#sink(0);
  }

  /** Takes something off every number. */
  lessen(by: number): void {
    for (const [place, value] of this.#values.entries()) this.#values[place] = value - by;
  }

  #put(place: number, name: string, value: number): void {
    this.#names[place] = name;
    this.#values[place] = value;
    this.#places.set(name, place);
  }

  #valueAt(place: number): number {
    return this.#values[place] ?? Number.POSITIVE_INFINITY;
  }

  #rise(from: number): number {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#valueAt(parent) <= this.#valueAt(place)) break;
      this.#swap(place, parent);
      place = parent;
    }
    return place;
  }

  #sink(from: number): void {
    let place = from;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const lesser = this.#valueAt(right) < this.#valueAt(left) ? right : left;
      if (this.#valueAt(place) <= this.#valueAt(lesser)) return;
      this.#swap(place, lesser);
      place = lesser;
    }
  }

  #swap(a: number, b: number): void {
    const [name, value] = [this.#names[a] ?? "", this.#valueAt(a)];
    this.#put(a, this.#names[b] ?? "", this.#valueAt(b));
    this.#put(b, name, value);
  }
}
