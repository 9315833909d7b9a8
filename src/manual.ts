/** The manual pages, from what there is already: popgate(8) from the program's help, popgate.toml(5) from the example configs. Pure. */

/** Characters of a line before roff's own are put in. */
const longestLine = 70;

/** A block of help: a title with terms, or a paragraph. */
interface Block {
  readonly title: string | undefined;
  readonly text: string;
  readonly terms: readonly (readonly [term: string, text: string])[];
}

/** Of which version a page tells, and from when it is: `2026-11-23`. */
interface Edition {
  readonly version: string;
  readonly date: string;
}

/** One key of a config, as an example shows it. */
interface Key {
  readonly line: string;
  readonly text: string;
}

/** A table of the config, or its top. */
export interface Section {
  /** `[[source]]`; empty for the top. */
  readonly title: string;
  readonly text: string;
  readonly keys: readonly Key[];
}

/**
 * Gives popgate(8). Takes the version and the date of the page, and by the name of each command its help without line breaks in it, the program's own
 * help first, under the name `popgate`.
 */
export function programPage(edition: Edition, helps: ReadonlyMap<string, string>): string {
  const [[name, own] = ["popgate", ""], ...commands] = helps;
  const [, description, ...rest] = blocksOf(own);
  const summary = description?.text ?? "";
  return page("POPGATE", 8, edition, [
    ".SH NAME",
    `${name} \\- ${roff(firstWords(summary))}`,
    ".SH SYNOPSIS",
    ...commands.flatMap(([, help]) => [bold(usageOf(help)), ".br"]).slice(0, -1),
    ".SH DESCRIPTION",
    ...filled(summary),
    ".SH COMMANDS",
    ...commands.flatMap(([, help]) => {
      const [usage, ...blocks] = blocksOf(help);
      const lines = blocks.flatMap((block) => under(block));
      return [`.SS ${quoted(usage?.text ?? "")}`, ...withoutGap(lines)];
    }),
    ...rest
      .filter(({ title }) => title !== "Commands")
      .flatMap((block) => [
        `.SH ${quoted((block.title ?? "Notes").toUpperCase())}`,
        ...withoutGap(body(block)),
      ]),
    ".SH SEE ALSO",
    ".BR popgate.toml (5),",
    ".BR postmap (1),",
    ".BR makemap (8),",
    ".BR journalctl (1)",
  ]);
}

/** Gives popgate.toml(5) from example configs: the first is the whole one, of the others the sources count. */
export function configPage(edition: Edition, [whole = "", ...others]: readonly string[]): string {
  const journal = others.flatMap((text) =>
    sectionsOf(text).filter(({ title }) => title === "[[source]]"),
  );
  const further = journal.map((section) => ({
    ...section,
    title: `${section.title} of another type`,
  }));
  return page("POPGATE.TOML", 5, edition, [
    ".SH NAME",
    "popgate.toml \\- the config of popgate",
    ".SH DESCRIPTION",
    ...filled(introOf(whole)),
    ".SH KEYS",
    ...[...sectionsOf(whole), ...further].flatMap((section) => sectionLines(section)),
    ".SH EXAMPLE",
    ".nf",
    ...whole
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => roff(line)),
    ".fi",
    ".SH SEE ALSO",
    ".BR popgate (8)",
  ]);
}

/** Reads an example config: what stands above a key, or above the head of a table, is about it. */
export function sectionsOf(example: string): Section[] {
  let keys: Key[] = [];
  const sections: Section[] = [{ title: "", text: "", keys }];
  let comment: string[] = [];
  // What stands above the first blank line is about the whole.
  for (const line of example.slice(example.indexOf("\n\n") + 1).split("\n")) {
    const [, head] = /^(?:# )?(\[\[?\w+\]?\])$/.exec(line) ?? [];
    const [, key] = /^(?:# )?(\w+ = .*)$/.exec(line) ?? [];
    if (head !== undefined) {
      keys = [];
      sections.push({ title: head, text: comment.join(" "), keys });
      comment = [];
    } else if (key !== undefined) {
      keys.push({ line: key, text: comment.join(" ") });
      comment = [];
    } else if (line.startsWith("# ")) comment.push(line.slice(2));
  }
  return sections.filter(({ keys }) => keys.length > 0);
}

function introOf(example: string): string {
  const [intro = ""] = example.split("\n\n");
  return intro.replace(/^# ?/gm, "").replaceAll("\n", " ");
}

function sectionLines({ title, text, keys }: Section): string[] {
  return [
    `.SS ${quoted(title === "" ? "At the top" : title)}`,
    ...filled(text),
    ...groupsOf(keys).flatMap(([first, ...others]) => [
      ".TP",
      bold(first.line),
      ...others.flatMap(({ line }) => [".TQ", bold(line)]),
      ...filled(first.text),
    ]),
  ];
}

/** A key without a text of its own shares that of the one above it. */
function groupsOf(keys: readonly Key[]): [Key, ...Key[]][] {
  const groups: [Key, ...Key[]][] = [];
  for (const key of keys) {
    const last = groups.at(-1);
    if (key.text === "" && last !== undefined) last.push(key);
    else groups.push([key]);
  }
  return groups;
}

function blocksOf(help: string): Block[] {
  return help
    .trim()
    .split(/\n\n+/)
    .map((block) => {
      const [first = "", ...rows] = block.split("\n");
      if (!first.endsWith(":") || rows.length === 0) {
        return {
          title: undefined,
          text: block.replaceAll("\n", " ").replace(/^Usage: /, ""),
          terms: [],
        };
      }
      const terms = rows.map((row): [string, string] => {
        const [, term = row.trim(), text = ""] = /^ *(\S.*?) {2,}(\S.*)$/.exec(row) ?? [];
        return [term, text];
      });
      return { title: first.slice(0, -1), text: "", terms };
    });
}

function usageOf(help: string): string {
  return blocksOf(help)[0]?.text ?? "";
}

function under(block: Block): string[] {
  const isOwn = block.title !== undefined && !["Options", "Arguments"].includes(block.title);
  return [...(isOwn ? [".PP", `${roff(block.title ?? "")}:`] : []), ...body(block)];
}

function body({ text, terms }: Block): string[] {
  const known = terms.filter(([term]) => term !== "-h, --help");
  return [
    ...paragraph(text),
    ...known.flatMap(([term, text]) => [".TP", bold(term), ...filled(text)]),
  ];
}

function paragraph(text: string): string[] {
  return text === "" ? [] : [".PP", ...filled(text)];
}

/** The head of a section makes a gap by itself. */
function withoutGap(lines: readonly string[]): readonly string[] {
  return lines[0] === ".PP" ? lines.slice(1) : lines;
}

/** Lines of at most 80 characters, as far as words allow. */
function filled(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").filter((each) => each !== "")) {
    if (line !== "" && line.length + 1 + word.length > longestLine) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].filter((each) => each !== "").map((each) => roff(each));
}

function firstWords(text: string): string {
  return text.split(":")[0] ?? "";
}

/** As an argument of a macro. */
function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', '""')}"`;
}

function bold(text: string): string {
  return `\\fB${roff(text.replaceAll("`", ""))}\\fR`;
}

/** A line of text: nothing of it is a request, and what stands between backticks is bold. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/`([^`]*)`/g, "\\fB$1\\fR")
    .replace(/^(?=[.'])/, "\\&");
}

function page(
  title: string,
  section: number,
  { version, date }: Edition,
  lines: readonly string[],
): string {
  const head = `.TH ${title} ${String(section)} ${date} "popgate ${version}" "popgate"`;
  return `${[head, ...lines].join("\n")}\n`;
}
