/** Why a line that looks like a login does not count. */

/** Each reason's id, as it stands in logs and counters, and what it means to a person. */
export const reasonTexts = {
  ambiguous: "the line can be read in two ways",
  malformed: "it begins like a login, but its fields are not those that the daemon writes",
  address: "the client is not one usable unicast address",
  user: "it names no user",
  unpaired: "the line before it that tells the client was not read, or not within a minute",
  anonymous: "anybody can log in anonymously",
  control: "the line holds control characters",
  long: "the line is too long",
  stamp: "its time stamp is no date",
  ahead: "its time stamp lies in the future",
  undated: "it has no time stamp, and was written before popgate started",
} as const;

export type Reason = keyof typeof reasonTexts;

/** A line of a known program that is a login by its words, but may not count. */
export interface Refusal {
  readonly refused: Reason;
  readonly adapter: string;
}
