/** The playground of `npm start`: plays POP before SMTP once by itself, then leaves the stage to its guest. */

import { styleText } from "node:util";
import { Lab } from "./lab.ts";
import { type Stage, mailStage, paperStage } from "./stage.ts";
import { until } from "./wait.ts";

const storyTtl = 8;
const guestTtl = "5m";

const [, , ...options] = process.argv;
const unattended = !process.stdin.isTTY && !options.includes("--stay");
const once = unattended || options.includes("--once");
const lacking = options
  .find((option) => option.startsWith("--without="))
  ?.slice("--without=".length);
const plain = !process.stdout.isTTY || process.env["NO_COLOR"] !== undefined;

type Style = Parameters<typeof styleText>[0];

function paint(style: Style, text: string): string {
  return plain ? text : styleText(style, text);
}

function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** Plays the story: refused, login, accepted, and refused again when the time is over. */
async function play({ popgate, clients, relay, login }: Stage): Promise<void> {
  const [client] = clients;
  const start = performance.now();
  const tell = (what: string, answer: string): void => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
    say(`${paint("dim", `${seconds} s`)}  ${what.padEnd(38)} ${answer}`);
  };
  const tryRelay = async (what: string): Promise<boolean> => {
    const { accepted, text } = await relay(client);
    tell(what, `${accepted ? paint("green", "accepted") : paint("red", "refused")}  ${text}`);
    return accepted;
  };
  const hear = async (event: string, what: string): Promise<void> => {
    const line = await popgate.told(new RegExp(`^${event} client=${client} `));
    tell(`popgate ${what}`, line);
  };

  const before = await tryRelay(`mail for another domain from ${client}`);
  tell(`alice logs in from ${client}`, await login(client));
  await hear("granted", "reads the log");
  await until("the relay to open", async () => (await relay(client)).accepted);
  const during = await tryRelay("the same mail again");
  tell("", paint("dim", `${storyTtl} seconds without a further login ...`));
  await hear("expired", "looks at the clock");
  await until("the relay to close", async () => !(await relay(client)).accepted);
  const after = await tryRelay("the same mail once more");
  if (before || !during || after) throw new Error("the story went wrong");
}

/** Lets the guest play until `stopped`, and shows the live grants whenever they change. */
async function host({ popgate, settings, commands }: Stage, stopped: AbortSignal): Promise<void> {
  const told = popgate.lines.length;
  await popgate.configure({ ...settings, ttl: guestTtl });
  popgate.signal("SIGHUP");
  await popgate.told(/^reloaded/, told);
  say(`\n${paint("bold", "Your turn.")} A login now lasts ${guestTtl}. In another terminal:\n`);
  for (const [what, command] of commands) say(`  ${paint("dim", `# ${what}`)}\n  ${command}\n`);
  say(`${paint("bold", "Live grants")} (Ctrl-C ends everything and removes it)\n`);
  let shown = "";
  const look = async (): Promise<boolean> => {
    if (stopped.aborted) return true;
    const grants = await popgate.list();
    const ends = grants.map(({ client, expires }) => `${client} ${expires}`).join();
    if (ends === shown) return false;
    shown = ends;
    const { stdout } = await popgate.command("list");
    say(
      `${paint("dim", new Date().toTimeString().slice(0, 8))}\n${stdout || "nobody may relay\n"}`,
    );
    return false;
  };
  await until("Ctrl-C", look, { within: Infinity, every: 2000 });
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        stopping.abort();
        resolve();
      });
    }
  });
  const lab = await Lab.open();
  const perform = async (): Promise<void> => {
    const ttl = `${storyTtl}s`;
    const stage = await (lacking === undefined ? mailStage(lab, ttl) : paperStage(lab, ttl));
    say(`\n${paint("bold", "popgate's playground")}\n`);
    if (lacking !== undefined) say(`No real mail daemons here (${lacking}), so on paper:\n`);
    for (const line of stage.scene) say(`  ${line}`);
    say(`  popgate             a login lets its client relay for ${storyTtl} seconds\n`);
    await play(stage);
    if (!once) await host(stage, stopping.signal);
  };
  try {
    // Whatever is under way when the guest wants to leave is left as it is: the lab ends it.
    await Promise.race([perform(), stopped]);
  } finally {
    await lab.close();
  }
  const end =
    unattended && !stopping.signal.aborted
      ? "Nobody is at the keyboard, so it ends here (--stay keeps it open). "
      : "";
  say(`\n${end}Everything has ended and is removed.`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
