/** A mail client that logs in to a POP or IMAP server and leaves again. */

import { Dialogue } from "./dialogue.ts";

export type Protocol = "pop3" | "pop3s" | "imap" | "imaps";

export interface Visit {
  readonly protocol: Protocol;
  readonly port: number;
  /** The local address to come from. */
  readonly client: string;
  readonly user: string;
  readonly password: string;
  /** Whether to log in with SASL PLAIN (RFC 4616), whose names may hold every byte but NUL. */
  readonly sasl?: boolean;
}

export interface Verdict {
  readonly ok: boolean;
  /** What the server answered. */
  readonly text: string;
}

/** Logs in and out again. A refused login is a verdict, not an exception. */
export async function login(visit: Visit): Promise<Verdict> {
  const tls = visit.protocol.endsWith("s");
  const dialogue = await Dialogue.open({ port: visit.port, client: visit.client, tls });
  try {
    await dialogue.line();
    return visit.protocol.startsWith("pop3")
      ? await popLogin(dialogue, visit)
      : await imapLogin(dialogue, visit);
  } finally {
    await dialogue.close();
  }
}

async function popLogin(dialogue: Dialogue, visit: Visit): Promise<Verdict> {
  const say = async (line: string): Promise<string> => {
    dialogue.send(line);
    return (await dialogue.line()) ?? "-ERR the server hung up";
  };
  if (!visit.sasl) await say(`USER ${visit.user}`);
  const text = await say(visit.sasl ? `AUTH ${plain(visit)}` : `PASS ${visit.password}`);
  const ok = text.startsWith("+OK");
  if (ok) await say("QUIT");
  return { ok, text };
}

async function imapLogin(dialogue: Dialogue, visit: Visit): Promise<Verdict> {
  const say = async (tag: string, command: string): Promise<string> => {
    dialogue.send(`${tag} ${command}`);
    for (;;) {
      const line = await dialogue.line();
      if (line === undefined) return `${tag} NO the server hung up`;
      if (line.startsWith(`${tag} `)) return line;
    }
  };
  const words = `LOGIN ${astring(visit.user)} ${astring(visit.password)}`;
  const text = await say("a", visit.sasl ? `AUTHENTICATE ${plain(visit)}` : words);
  const ok = text.startsWith("a OK");
  if (ok) await say("b", "LOGOUT");
  return { ok, text };
}

function plain({ user, password }: Visit): string {
  return `PLAIN ${Buffer.from(`\0${user}\0${password}`).toString("base64")}`;
}

// A literal carries line feeds, too; the server need not ask for it (RFC 7888).
function astring(text: string): string {
  return /["\\\r\n]/.test(text) ? `{${Buffer.byteLength(text)}+}\r\n${text}` : `"${text}"`;
}
