/** The writers of a log: they append numbered lines, whole or in halves, to the file that they have open. */
import fs from "node:fs";
import { longestLine } from "../../src/sources/lines.ts";
import type { File, Line } from "./walk-line.ts";

interface Writer {
  descriptor: number;
  file: File;
  readonly hole: boolean;
  position: number;
  /** What is to be written of the line that it is in. */
  rest: { readonly line: Line; readonly epoch: number; readonly bytes: Buffer } | undefined;
}

/** What writers have to know of the log. */
export interface Place {
  readonly path: string;
  readonly files: readonly File[];
  readonly live: File | undefined;
  /** Whether the file has a name. */
  named(file: File): boolean;
  /** Something happened that a follower must take for a possible loss. */
  harmed: boolean;
  /** The live file; makes it if there is none. */
  create(): File;
  /** Monotonic ms. */
  now(): number;
}

const mostWriters = 4;

/** As all lines of a log do: it takes more than a few bytes to know a file. */
export const linesBegin = "Nov 23 06:20:54 mailhost dovecot: ";

/** Half of what the follower allows: beyond it a writer has to open the log anew. */
const mostYounger = 6;
const longestSilence = 9000;

export class Writers {
  readonly lines: Line[] = [];
  /** How many of them have ended. */
  ended = 0;
  readonly #place: Place;
  readonly #writers: Writer[] = [];

  constructor(place: Place) {
    this.#place = place;
  }

  /** One more writer; without O_APPEND it leaves a `hole` behind a truncation. */
  open(hole: boolean): void {
    if (this.#writers.length === mostWriters) return;
    const file = this.#place.create();
    const descriptor = fs.openSync(this.#place.path, hole ? "r+" : "a");
    const position = fs.fstatSync(descriptor).size;
    this.#writers.push({ descriptor, file, hole, position, rest: undefined });
  }

  reopen(): void {
    for (const writer of this.#writers) {
      if (this.#isOld(writer.file)) writer.rest = undefined;
      this.#reopen(writer);
    }
  }

  close(): void {
    for (const { descriptor } of this.#writers) fs.closeSync(descriptor);
  }

  write(by: number, lines: number, long: boolean): void {
    const writer = this.#writer(by);
    this.#finishIn(writer.file);
    for (let i = 0; i < lines; i++) {
      const line = this.#begin(writer, long);
      this.#append(writer, line.bytes);
      this.#ends(line, writer.file);
    }
  }

  half(by: number, cut: number): void {
    const writer = this.#writer(by);
    this.#finishIn(writer.file);
    const line = this.#begin(writer, false);
    // What is no more than the beginning of all lines tells no file from another.
    const least = line.first ? linesBegin.length + String(line.id).length + 1 : 1;
    const at = least + (cut % (line.bytes.length - least - 1));
    this.#append(writer, line.bytes.subarray(0, at));
    writer.file.pieces.push({ line, part: "head" });
    writer.rest = { line, epoch: writer.file.epoch, bytes: line.bytes.subarray(at) };
  }

  finish(by: number): void {
    this.#finish(this.#writer(by));
  }

  /** A writer that may write: none may go on for ever with a file that was rotated away. */
  #writer(by: number): Writer {
    const writer = this.#writers[by % this.#writers.length];
    if (writer === undefined) throw new Error("no writer");
    if (this.#isOld(writer.file)) {
      writer.rest = undefined;
      this.#reopen(writer);
    }
    return writer;
  }

  #isOld(file: File): boolean {
    const { files, live } = this.#place;
    const younger = files.length - 1 - file.birth;
    const silence = this.#place.now() - file.grown;
    return file !== live && (younger > mostYounger || silence > longestSilence);
  }

  #reopen(writer: Writer): void {
    this.#finish(writer);
    writer.file = this.#place.create();
    fs.closeSync(writer.descriptor);
    writer.descriptor = fs.openSync(this.#place.path, writer.hole ? "r+" : "a");
    writer.position = fs.fstatSync(writer.descriptor).size;
  }

  #begin({ file }: Writer, long: boolean): Line {
    const id = this.lines.length;
    const length = long ? 20_000 + ((id * 7919) % 60_000) : (id * 37) % 190;
    const text = `${linesBegin}${String(id)} ${"x".repeat(length)}€${id % 3 === 0 ? "ä" : ""} ${String(id)} #\n`;
    const bytes = Buffer.from(text);
    const most = bytes.length - 1 > longestLine ? 0 : 1;
    const line: Line = {
      id,
      bytes,
      file,
      epoch: file.epoch,
      after: file.after,
      first: file.pieces.length === 0,
      order: undefined,
      places: new Map(),
      deliveries: 0,
      due: most,
      most,
      doomed: undefined,
    };
    this.lines.push(line);
    return line;
  }

  #append(writer: Writer, bytes: Uint8Array): void {
    const { size } = fs.fstatSync(writer.descriptor);
    // Two writers without O_APPEND would overwrite each other.
    const position = writer.hole ? Math.max(writer.position, size) : null;
    fs.writeSync(writer.descriptor, bytes, 0, bytes.length, position);
    writer.position = (position ?? size) + bytes.length;
    if (size === 0 && position !== null && position > 0) writer.file.hole = true;
    writer.file.grown = this.#place.now();
    if (!this.#place.named(writer.file)) this.#place.harmed = true;
  }

  #ends(line: Line, file: File): void {
    line.order = this.ended++;
    line.places.set(file, file.epoch);
    file.pieces.push({ line, part: "whole" });
  }

  /** Two lines are never written at once: what a writer has begun ends before another one begins. */
  #finishIn(file: File): void {
    for (const writer of this.#writers) if (writer.file === file) this.#finish(writer);
  }

  #finish(writer: Writer): void {
    const { rest, file } = writer;
    if (rest === undefined) return;
    writer.rest = undefined;
    this.#append(writer, rest.bytes);
    if (rest.epoch === file.epoch) {
      file.pieces.pop();
      this.#ends(rest.line, file);
    } else {
      file.pieces.push({ line: rest.line, part: "tail" });
    }
  }
}
