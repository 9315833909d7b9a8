/** An SMTP client that asks one question: may this address relay? */

import { Dialogue } from "./dialogue.ts";

export interface Reply {
  readonly code: number;
  readonly text: string;
}

export interface Relay {
  readonly port: number;
  /** The local address to come from. */
  readonly client: string;
}

const elsewhere = "someone@foreign.example";

/** An SMTP session past its EHLO. */
export class Smtp {
  readonly #dialogue: Dialogue;

  private constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue;
  }

  static async open(relay: Relay): Promise<Smtp> {
    const session = new Smtp(await Dialogue.open(relay));
    const greeting = await session.#reply();
    if (greeting.code !== 220) throw new Error(`no welcome: ${greeting.code} ${greeting.text}`);
    await session.command("EHLO client.test");
    return session;
  }

  async command(line: string): Promise<Reply> {
    this.#dialogue.send(line);
    return this.#reply();
  }

  /** Offers one mail to an address and takes it back: the answer to RCPT, or to MAIL if that already says no. */
  async offer(to = elsewhere): Promise<Reply> {
    const mail = await this.command("MAIL FROM:<user@lab.test>");
    if (mail.code !== 250) return mail;
    const rcpt = await this.command(`RCPT TO:<${to}>`);
    await this.command("RSET");
    return rcpt;
  }

  async quit(): Promise<void> {
    this.#dialogue.send("QUIT"); // nobody waits for the answer, for which Exim takes its time
    await this.#dialogue.close();
  }

  async #reply(): Promise<Reply> {
    const texts: string[] = [];
    for (;;) {
      const line = await this.#dialogue.line();
      if (line === undefined) return { code: 0, text: "the server hung up" };
      texts.push(line.slice(4));
      if (line[3] !== "-") return { code: Number(line.slice(0, 3)), text: texts.join(" ") };
    }
  }
}

/** One whole SMTP dialogue: what the server says to mail for another domain from this client. */
export async function offer(relay: Relay, to = elsewhere): Promise<Reply> {
  const session = await Smtp.open(relay);
  try {
    return await session.offer(to);
  } finally {
    await session.quit();
  }
}
