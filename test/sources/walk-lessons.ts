/** The worst programs that a walk has met, shrunk: each by what it taught. */
import type { Program, Step } from "./walk-program.ts";

/** Reads steps as they are written below: what is done, then by whom or to which, then how much. */
function stepsOf(text: string): readonly Step[] {
  return text.split(", ").map((step): Step => {
    const [what = "", ...rest] = step.split(" ");
    const [one = 0, two = 0] = rest.map(Number);
    switch (what) {
      case "write":
        return { do: "write", by: one, lines: two };
      case "half":
        return { do: "half", by: one, cut: two };
      case "finish":
        return { do: "finish", by: one };
      case "pack":
        return { do: "pack", which: one };
      case "nudge":
        return { do: "nudge", turns: one };
      case "deny":
        return { do: "deny", what: rest[0] === "directory" ? "directory" : "log" };
      case "start":
        return { do: "start", wait: true };
      case "begin":
        return { do: "start", wait: false };
      case "open":
        return { do: "open", hole: true };
      default:
        return { do: what } as Step;
    }
  });
}

function numbered(text: string): Program {
  return { style: "number", linked: false, hasty: true, steps: stepsOf(text) };
}

export const lessons: Readonly<Record<string, Program>> = {
  "an error of a watcher that is being closed has no listener": numbered(
    "nudge 1, deny directory, stop, permit, start, deny directory, kill",
  ),
  "a copy beside a log that was not truncated is not read again": numbered("write 0 4, copy"),
  "nor when the log is truncated after more was read than the copy holds": numbered(
    "write 0 3, copy, write 0 1, turn, truncate, turn",
  ),
  "of several copies of one file only one is read": numbered("write 0 5, copy, copy, truncate"),
  "a copy can be shorter than what a file is known by": numbered(
    "link, unlink, nudge 2, create, pack 1, write 0 1, packed, start, write 1 6",
  ),
  "a file and its copy: the younger is read on": numbered(
    "write 0 37, turn, copy, shift, open, pack 0, save, shift, kill",
  ),
  "half a line at the start of a file has no anchor before it": numbered(
    "half 0 4, turn, truncate, write 1 19, turn",
  ),
  "it also tells a copy that goes on with it from one that does not": numbered(
    "half 0 4, turn, truncate, write 1 45, copy, truncate",
  ),
  "a copy can end before the half that was seen": numbered(
    "write 0 2, copy, half 1 46, turn, truncate, finish 1",
  ),
  "two copies can hold the same half: the younger goes on": numbered(
    "nudge 5, half 0 37, copy, copy, write 0 1, half 1 5, copy, truncate",
  ),
  "that a copy was read is known before the log itself is read on": numbered(
    "write 1 5, start, write 2 3, copy, truncate, copy, nudge 2, save, kill",
  ),
  "after a start, too, a copy of what stands in the log hands nothing on": numbered(
    "turn, write 1 6, stop, copy, truncate, half 1 23, copy, write 0 6",
  ),
  "an empty older copy ends within no line": numbered(
    "copy, pack 0, half 0 2, turn, finish 0, copy, truncate",
  ),
  "an empty copy hands on that a half was lost": numbered(
    "half 0 4, turn, truncate, turn, copy, write 1 30",
  ),
  "what is truncated to the same size is truncated": numbered(
    "half 0 1, turn, finish 0, copy, truncate, half 0 1, turn",
  ),
  "that a half was lost outlives a kill": numbered(
    "write 0 2, truncate, half 1 3, turn, truncate, turn, save, reopen, kill",
  ),
  "that half of a line was seen outlives a stop": numbered(
    "half 0 39, turn, stop, truncate, finish 0, write 0 3",
  ),
  "also where whole lines stood before it": numbered(
    "write 0 3, half 0 4, turn, stop, truncate, finish 0, write 0 2",
  ),
  "also where the log was rotated then": numbered(
    "write 2 4, half 1 41, turn, stop, truncate, link, unlink, write 5 33",
  ),
  "also where a copy ends with it": numbered(
    "half 0 4, turn, stop, copy, truncate, finish 0, write 0 3",
  ),
  "and where a copy ends before it": numbered(
    "write 0 3, copy, half 0 4, turn, stop, truncate, finish 0, write 0 2",
  ),
  "it is no half if a copy goes on with it": numbered(
    "half 0 4, turn, stop, finish 0, write 0 5, copy, truncate, write 0 3",
  ),
  "the inode number of a file that was read may be another file's": {
    style: "date",
    linked: false,
    hasty: false,
    steps: stepsOf(
      "write 2 1, shift, nudge 8, reopen, save, shift, half 0 30, open, remove, kill, shift, half 5 4, half 3 59",
    ),
  },
  "a copy of the next file is no copy of the one that was unlinked": numbered(
    "hush, write 1 5, unlink, reopen, half 0 2, copy, truncate",
  ),
  "half a line, compressed, is not new": numbered(
    "shift, reopen, half 0 2, pack 0, turn, write 1 4, copy, truncate",
  ),
  "nor is it a copy of what was born later": {
    style: "date",
    linked: true,
    hasty: true,
    steps: stepsOf(
      "half 1 52, copy, truncate, hush, shift, write 0 2, create, turn, shift, save, reopen, shift, kill, start, pack 3, write 1 2, packed",
    ),
  },
  "the beginning of a compressed copy is looked at twice, and read once": numbered(
    "half 0 44, turn, truncate, half 1 36, finish 1, copy, pack 0, packed, truncate, copy",
  ),
  "a copy that ends within a line is handed on, though what was read is gone": numbered(
    "write 0 2, turn, stop, copy, truncate, half 4 56, copy, truncate, remove, write 4 4",
  ),
  "a compressed copy may have the inode of the file that was read": numbered(
    "half 1 44, turn, deny directory, write 5 5, stop, start, copy, copy, unlink, reopen, pack 1, packed",
  ),
  "half a line was lost twice, and the second half comes then": numbered(
    "turn, write 1 52, deny log, copy, truncate, write 1 1, half 5 24, turn, truncate, pack 3, packed, write 3 0",
  ),
  "a hole is nothing to know a file by": numbered(
    "open, write 1 15, truncate, shift, half 0 3, reopen, write 1 3, truncate, write 0 16",
  ),
  "what comes behind a hole may be the other half of a line, whatever its copies say": numbered(
    "open hole, write 1 3, half 3 15, turn, truncate, half 0 15, finish 4, copy",
  ),
  "nor is it a place to go on from": numbered(
    "write 0 1, open, truncate, half 1 21, turn, truncate, write 0 2, copy",
  ),
  "a copy that was made before what was read last, compressed after the truncation, is not new":
    numbered(
      "half 0 50, write 5 0, copy, write 1 4, nudge 3, truncate, nudge 8, pack 1, half 0 0, shift",
    ),
  "copies are read before the name is looked at again": numbered(
    "write 0 34, turn, copy, truncate, write 1 5, shift, create, pack 0, link, unlink, nudge 2, create, copy",
  ),
  "a copy of the log is what was read before, if the log is truncated during a start": {
    style: "date",
    linked: true,
    hasty: false,
    steps: stepsOf(
      "shift, reopen, nudge 3, write 1 4, stop, begin, pack 0, copy, nudge 2, truncate",
    ),
  },
  "copies wait until somebody may look for them": numbered(
    "write 0 5, half 0 7, turn, deny directory, copy, truncate, write 0 43, turn, permit, turn",
  ),
  "a new log that cannot be opened yet is tried again": numbered(
    "nudge 7, write 0 6, unlink, reopen, deny log, nudge 2, turn, permit, turn",
  ),
  "a link may lead nowhere for a moment": {
    style: "number",
    linked: true,
    hasty: true,
    steps: stepsOf("write 0 31, nudge 5, copy, truncate, shift, nudge 5"),
  },
  "files that were empty when they were closed say nothing of what was read": {
    style: "swap",
    linked: false,
    hasty: true,
    steps: stepsOf("shift, write 0 26, nudge 3, unlink, reopen, hush, stop"),
  },
  "what was empty is not what another mark is of": {
    style: "date",
    linked: false,
    hasty: false,
    steps: stepsOf("turn, unlink, reopen, write 0 37, stop, copy, shift"),
  },
};
