/** Columns for reading: aligned, and no wider than the screen. */

/** A cell that is cut ends so. */
const cut = "…";

interface Fit {
  /** Characters that a row may have; without it nothing is cut. */
  readonly width?: number | undefined;
  /** Columns that are left out where there is no room, the first of these first; then cells are cut. */
  readonly spare?: readonly string[];
  /** Columns whose cells may be cut. */
  readonly soft?: readonly string[];
}

/** No soft column gets narrower than this. */
const narrowest = 20;

/** Gives rows under their titles, each ending in a line feed. */
export function aligned(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  { width = Infinity, spare = [], soft = [] }: Fit = {},
): string {
  let kept = titles.map((_, column) => column);
  const widths = titles.map((title, column) =>
    rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), title.length),
  );
  const excess = () => kept.reduce((sum, column) => sum + (widths[column] ?? 0) + 2, -2) - width;
  const shortest = () =>
    excess() -
    kept.reduce((sum, column) => {
      const own = widths[column] ?? 0;
      return soft.includes(titles[column] ?? "") ? sum + Math.max(0, own - narrowest) : sum;
    }, 0);
  for (const title of spare) {
    if (shortest() <= 0) break;
    kept = kept.filter((column) => titles[column] !== title);
  }
  for (const title of soft) {
    const column = titles.indexOf(title);
    if (excess() <= 0 || !kept.includes(column)) continue;
    const own = widths[column] ?? 0;
    widths[column] = Math.max(Math.min(own, narrowest), own - excess());
  }
  return [titles, ...rows]
    .map((row) =>
      kept
        .map((column) => padded(row[column] ?? "", widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function padded(cell: string, width: number): string {
  return cell.length <= width ? cell.padEnd(width) : `${cell.slice(0, width - 1)}${cut}`;
}

/** A text in lines of at most so many characters, broken at blanks; each line after the first begins with `indent`. */
export function wrapped(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  const [first = "", ...words] = text.split(/(?<=\S) /);
  let line = first;
  for (const word of words) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line = `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}

/** `1h02m`, `12m05s`, `7s`; days where there are any. */
export function durationOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours >= 48)
    return `${String(Math.floor(hours / 24))}d${String(hours % 24).padStart(2, "0")}h`;
  const tail = `${String(seconds % 60).padStart(2, "0")}s`;
  if (hours > 0) return `${String(hours)}h${String(minutes).padStart(2, "0")}m`;
  return minutes > 0 ? `${String(minutes)}m${tail}` : tail.replace(/^0/, "");
}

/** `12 B`, `1.2 MB`. */
export function sizeOf(bytes: number): string {
  const [unit, divisor] = (
    [
      ["GB", 1e9],
      ["MB", 1e6],
      ["kB", 1e3],
    ] as const
  ).find(([, size]) => bytes >= size) ?? ["B", 1];
  return `${divisor === 1 ? String(bytes) : (bytes / divisor).toFixed(1)} ${unit}`;
}
