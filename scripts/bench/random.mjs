/** Numbers that look random and are the same for the same seed, on every machine: sfc32, seeded by splitmix32. */

/* oxlint-disable no-bitwise -- it is made of 32-bit words */

/** A sequence of its own. */
export class Random {
  #a;
  #b;
  #c;
  #count = 1;

  constructor(seed) {
    let state = seed | 0;
    const seeded = () => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return (mixed ^ (mixed >>> 16)) | 0;
    };
    this.#a = seeded();
    this.#b = seeded();
    this.#c = seeded();
    // The first numbers still show the seed.
    for (let round = 0; round < 16; round++) this.word();
  }

  /** A whole number of 32 bits. */
  word() {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 up to 1. */
  fraction() {
    return this.word() / 0x100000000;
  }

  /** A whole number from 0 to `end` - 1. */
  below(end) {
    return this.word() % end;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  text(alphabet, length) {
    let text = "";
    for (let index = 0; index < length; index++) text += this.pick(alphabet);
    return text;
  }
}
