/** Prints rows under a heading, aligned: the first column to the left, all others to the right. */

/** Takes the names of the columns, the first being the heading, and rows of as many texts; a missing text is empty. */
export function printTable(columns, rows) {
  const all = [columns, ...rows];
  const widths = columns.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? "").length)),
  );
  const lines = all.map((row) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? "";
        return column === 0 ? text.padEnd(width) : text.padStart(width);
      })
      .join("   ")
      .trimEnd(),
  );
  console.log(`\n${lines.join("\n")}`);
}

/** What was aimed at, and whether it was reached. */
export function aim(text, reached) {
  return `${text}: ${reached ? "yes" : "NO"}`;
}
