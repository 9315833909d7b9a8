/** A directory with a log in it, and everything that writers and rotations do to one. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Writes numbered lines, and knows which should come out. */
export class LogDirectory {
  readonly path: string;
  readonly directory: string;
  /** Every line that was written whole, in order. */
  readonly written: string[] = [];
  readonly #open = new Set<number>();
  #count = 0;

  constructor(name = "mail.log") {
    this.directory = fs.mkdtempSync(join(tmpdir(), "popgate-log-"));
    this.path = join(this.directory, name);
  }

  /** A new line that is expected, with its line feed. */
  line(text = "x".repeat(this.#count % 90)): string {
    const line = `${String(++this.#count)} ${text} #`;
    this.written.push(line);
    return `${line}\n`;
  }

  /** Opens the log as syslogd does, and makes it if it is missing. */
  open(path = this.path): number {
    const descriptor = fs.openSync(path, "a", 0o644);
    this.#open.add(descriptor);
    return descriptor;
  }

  close(descriptor: number): void {
    this.#open.delete(descriptor);
    fs.closeSync(descriptor);
  }

  /** Makes the log with an inode number that was given back; false if the file system does not give it out again. */
  create(ino: number): boolean {
    for (let tries = 0; tries < 3000; tries++) {
      const path = join(this.directory, `other.${String(tries)}`);
      fs.writeFileSync(path, "");
      if (fs.statSync(path).ino !== ino) continue;
      fs.renameSync(path, this.path);
      return true;
    }
    return false;
  }

  /** Appends new lines, one write each, through a descriptor or to the path. */
  append(lines = 1, to: number | string = this.path): void {
    const descriptor = typeof to === "string" ? fs.openSync(to, "a", 0o644) : to;
    for (let i = 0; i < lines; i++) fs.writeSync(descriptor, this.line());
    if (typeof to === "string") fs.closeSync(descriptor);
  }

  /** Appends bytes as they are. */
  raw(bytes: string | Uint8Array, to: number | string = this.path): void {
    if (typeof to === "string") fs.appendFileSync(to, bytes);
    else fs.writeSync(to, Buffer.from(bytes));
  }

  /** Renames `.1` to `.2` and so on, each with or without `.gz`, and the log itself to `.1`. */
  shift(keep = 12): void {
    this.#shiftOlder(keep);
    fs.renameSync(this.path, `${this.path}.1`);
  }

  #shiftOlder(keep: number): void {
    for (const end of ["", ".gz"]) {
      fs.rmSync(`${this.path}.${String(keep)}${end}`, { force: true });
      for (let age = keep - 1; age > 0; age--) {
        const from = `${this.path}.${String(age)}${end}`;
        if (fs.existsSync(from)) fs.renameSync(from, `${this.path}.${String(age + 1)}${end}`);
      }
    }
  }

  /** As logrotate does with `create`. */
  rotate(keep = 12): void {
    this.shift(keep);
    fs.closeSync(fs.openSync(this.path, "ax", 0o644));
  }

  /** As logrotate does with `copytruncate`; `between` happens when the copy is made and the log not yet truncated. */
  copyTruncate(between: () => void = () => undefined): void {
    this.#shiftOlder(12);
    fs.copyFileSync(this.path, `${this.path}.1`);
    between();
    fs.truncateSync(this.path, 0);
  }

  /** Replaces a file by its `.gz`, keeping the time of its last change. */
  gzip(path: string): void {
    const { atime, mtime } = fs.statSync(path);
    fs.writeFileSync(`${path}.gz`, gzipSync(fs.readFileSync(path)));
    fs.utimesSync(`${path}.gz`, atime, mtime);
    fs.rmSync(path);
  }

  /** How many descriptors of its files are open in this process, but for those of its writers. */
  descriptors(): number {
    const open = fs.readdirSync("/proc/self/fd").filter((descriptor) => {
      if (this.#open.has(Number(descriptor))) return false;
      const link = `/proc/self/fd/${descriptor}`;
      // The one of this listing is closed by now.
      return fs.existsSync(link) && fs.readlinkSync(link).startsWith(this.directory);
    });
    return open.length;
  }

  remove(): void {
    for (const descriptor of this.#open) fs.closeSync(descriptor);
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}
