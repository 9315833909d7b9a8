/** The addresses of mail users: a pool of which few come often and many seldom, as Zipf's law has it. */

/* oxlint-disable no-bitwise -- addresses are made of bits */

/** In 100.64.0.0/10 and 2001:db8::/32, which are nobody's. */
export class Pool {
  #random;
  #addresses;
  #stay;
  #instead;

  /** Takes the number of addresses, the share of IPv6 among them, and the skew; 0 makes all come equally often. */
  constructor(random, { size, ipv6, skew }) {
    this.#random = random;
    this.#addresses = Array.from({ length: size }, (_, index) =>
      random.fraction() < ipv6 ? ipv6Of(index) : ipv4Of(index),
    );
    this.#weigh(skew);
  }

  get size() {
    return this.#addresses.length;
  }

  at(index) {
    return this.#addresses[index];
  }

  /** The index of an address that comes as often as its rank says. */
  frequent() {
    const index = this.#random.below(this.size);
    return this.#random.fraction() < this.#stay[index] ? index : this.#instead[index];
  }

  /** An address; all come equally often. */
  any() {
    return this.#addresses[this.#random.below(this.size)];
  }

  // Walker's alias method: a choice costs the same for any size of the pool.
  #weigh(skew) {
    const { size } = this;
    const weights = Float64Array.from({ length: size }, (_, index) => 1 / (index + 1) ** skew);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const small = [];
    const large = [];
    for (let index = 0; index < size; index++) {
      weights[index] = (weights[index] / total) * size;
      (weights[index] < 1 ? small : large).push(index);
    }
    this.#stay = new Float64Array(size).fill(1);
    this.#instead = Uint32Array.from({ length: size }, (_, index) => index);
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop();
      const rich = large.at(-1);
      this.#stay[poor] = weights[poor];
      this.#instead[poor] = rich;
      weights[rich] -= 1 - weights[poor];
      if (weights[rich] < 1) small.push(large.pop());
    }
  }
}

// Multiplying by an odd number keeps all of them apart and makes them look scattered.
function scattered(index) {
  return Math.imul(index, 2654435761) & 0x3fffff;
}

function ipv4Of(index) {
  const bits = scattered(index);
  return `100.${64 + (bits >>> 16)}.${(bits >>> 8) & 255}.${bits & 255}`;
}

/** In the spelling of RFC 5952. */
function ipv6Of(index) {
  const bits = scattered(index);
  const net = `2001:db8:${hex(0x100 + (bits >>> 8))}:${hex((bits & 0xff) + 1)}`;
  const end = hex(0x1000 + (index & 0xfff));
  if (index & 1) return `${net}::${end}`;
  return `${net}:${hex(0x200 + (index % 251))}:5eff:fe${hex(0x10 + (index % 200))}:${end}`;
}

function hex(number) {
  return number.toString(16);
}
