/** The words that occur in log lines: users, hosts, queue ids. */

/* oxlint-disable no-bitwise -- one bit decides */

const hex = "0123456789ABCDEF";
const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const first =
  "anna bjorn carlos dina erik fatima greg hana ivan julia kofi lena mats nora omar petra quinn rosa sven tove uma viktor wen yusuf zoe".split(
    " ",
  );
const last =
  "berg costa dahl evans fischer garcia holm ito jensen kim lopez meyer novak olsen patel rossi silva tanaka weber young".split(
    " ",
  );
const domains = "example.com example.org mail.example.net corp.example customers.example.com".split(
  " ",
);
const peers =
  "mail-lf1-f49.example.net out3-smtp.example.org mta87.bulk.example a12-34.smtp.example.com smtp-out.list.example".split(
    " ",
  );
const peersOrUnknown = [...peers, "unknown"];
const methods = "PLAIN PLAIN PLAIN LOGIN CRAM-MD5".split(" ");
const protocols = "imap imap imap pop3".split(" ");

/** The server's own address. */
export const server = "192.168.7.25";

/** Makes words, each from the next numbers of `random`. */
export class Words {
  #random;

  constructor(random) {
    this.#random = random;
  }

  user() {
    return `${this.pick(first)}.${this.pick(last)}${this.below(1000)}@${this.pick(domains)}`;
  }

  session() {
    return this.#random.text(base64, 16);
  }

  delivery() {
    return this.#random.text(base64, 22);
  }

  pid() {
    return 400 + this.#random.below(64_000);
  }

  port() {
    return 1024 + this.#random.below(60_000);
  }

  queueId() {
    return this.#random.text(hex, 10 + (this.#random.word() & 1));
  }

  messageId() {
    return `${this.#random.text(hex, 12)}.${this.below(1e6)}@${this.pick(peers)}`;
  }

  digits(length) {
    return this.#random.text(hex.toLowerCase(), length);
  }

  peer() {
    return this.#random.pick(peersOrUnknown);
  }

  peerAddress() {
    const net = this.#random.word() & 1 ? "198.51.100." : "203.0.113.";
    return net + this.#random.below(256);
  }

  method() {
    return this.#random.pick(methods);
  }

  protocol() {
    return this.#random.pick(protocols);
  }

  tls() {
    return this.#random.fraction() < 0.9 ? " TLS," : "";
  }

  /** A number with so many decimals, from 0 up to `end`. */
  decimal(end, digits) {
    return (this.#random.fraction() * end).toFixed(digits);
  }

  below(end) {
    return this.#random.below(end);
  }

  pick(list) {
    return this.#random.pick(list);
  }
}
