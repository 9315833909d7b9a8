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

async function popLogin(dialogue: Dialogue, { user, password }: Visit): Promise<Verdict> {
  const say = async (line: string): Promise<string> => {
    dialogue.send(line);
    return (await dialogue.line()) ?? "-ERR the server hung up";
  };
  await say(`USER ${user}`);
  const text = await say(`PASS ${password}`);
  const ok = text.startsWith("+OK");
  if (ok) await say("QUIT");
  return { ok, text };
}

async function imapLogin(dialogue: Dialogue, { user, password }: Visit): Promise<Verdict> {
  const say = async (tag: string, command: string): Promise<string> => {
    dialogue.send(`${tag} ${command}`);
    for (;;) {
      const line = await dialogue.line();
      if (line === undefined) return `${tag} NO the server hung up`;
      if (line.startsWith(`${tag} `)) return line;
    }
  };
  const text = await say("a", `LOGIN "${user}" "${password}"`);
  const ok = text.startsWith("a OK");
  if (ok) await say("b", "LOGOUT");
  return { ok, text };
}
