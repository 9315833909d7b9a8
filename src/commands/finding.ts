/** What `popgate check` finds. */

/** One thing that was looked at: it is fine, or something is to be done, or something is to be known. */
export interface Finding {
  readonly kind: "fine" | "todo" | "note";
  readonly text: string;
}

export const fine = (text: string): Finding => ({ kind: "fine", text });
export const todo = (text: string): Finding => ({ kind: "todo", text });
export const note = (text: string): Finding => ({ kind: "note", text });
