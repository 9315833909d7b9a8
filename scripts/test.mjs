/** `npm test`: installs what is missing, builds, runs every test; the last line counts the test cases. */

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { run, stopped, succeeds } from "./command.mjs";
import { provideDaemons } from "./daemons.mjs";
import { prepareGround, project } from "./ground.mjs";

const given = process.argv.slice(2);
const filters = given.filter((argument) => argument !== "--install");
const intoHost = given.includes("--install");
const here = (work) => work((argv) => argv);

async function main() {
  await prepareGround();
  const daemons = await provideDaemons({ intoHost });
  const results = mkdtempSync(join(tmpdir(), "popgate-test-"));
  chmodSync(results, 0o755); // the daemons run as users of their own and have to pass
  try {
    // Coverage of a few chosen tests says nothing.
    const coverage = filters.length === 0 ? ["--coverage"] : [];
    const unit = await tests("unit", coverage, here, results);
    const live = await tests("live", [], daemons.inside ?? here, results);
    const alone = await tests("alone", [], daemons.inside ?? here, results);
    return tell([unit, live, alone], await reasons(daemons));
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

/** Runs one project of the tests where `inside` puts it; { passed, failed, skipped, fine }. */
async function tests(name, options, inside, results) {
  const report = join(results, `${name}.json`);
  const vitest = join(project, "node_modules/vitest/vitest.mjs");
  const chosen = ["--config", "test/vitest.config.ts", "--project", name, "--passWithNoTests"];
  const told = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const argv = [process.execPath, vitest, "run", ...chosen, ...told, ...options, ...filters];
  const env = { TMPDIR: results };
  const { code } = await inside(
    (wrap) => run(wrap(argv), { cwd: project, env, show: true }),
    results,
  );
  stopped.throwIfAborted();
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, fine: false };
  const counted = count(JSON.parse(readFileSync(report, "utf8")));
  return { ...counted, fine: code === 0 };
}

function count({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  // A file that fails before or around its tests has no failed test case, and is a failure all the same.
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
  };
}

/** Why some live tests cannot run here. */
async function reasons({ lacking, namespaces, changedRoot }) {
  // The kernel gives no user namespace to whom has changed his root.
  const limits = !changedRoot && (await succeeds(["unshare", "--user", "--map-root-user", "true"]));
  const ipv6 = Object.values(networkInterfaces()).flat();
  return [
    lacking && `live tests were skipped: ${lacking}`,
    !lacking &&
      !namespaces &&
      "live tests with syslog, Courier, Sendmail, Exim, OpenSMTPD, other POP3 servers, mounts were skipped: no CAP_SYS_ADMIN",
    !lacking &&
      namespaces &&
      !(await succeeds(["unshare", "--net", "true"])) &&
      "live tests with popa3d, solid-pop3d, mailutils were skipped: no network namespaces",
    !limits && "live tests without inotify watches were skipped: no user namespaces",
    !ipv6.some(({ address }) => address === "::1") && "live tests over ::1 were skipped: no IPv6",
  ].filter(Boolean);
}

function tell(runs, notes) {
  const sum = (key) => runs.reduce((total, result) => total + result[key], 0);
  const fine = runs.every((result) => result.fine) && sum("failed") === 0;
  if (!fine && sum("failed") === 0) console.log("no test failed, but see above: the coverage?");
  for (const note of notes) console.log(note);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return fine ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = stopped.aborted ? 130 : 1;
  console.error(stopped.aborted ? `stopped by ${stopped.reason}` : `npm test: ${error.message}`);
  console.log("0 passed, 1 failed, 0 skipped");
}
